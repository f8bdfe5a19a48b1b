import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect } from 'vitest';
import { asSuperuser, withServer } from './helpers/server.ts';

/*
 * Every named statement is described by PostgreSQL, and what it returns is compared with the row type that stands
 * beside it: a type that is written by hand must not lie. Whether a column may be null is not told by a description.
 */

const ROOT = join(import.meta.dirname, '..');
const STATEMENT = /\bsql(?:<((?:[^<>]|<[^<>]*>)*)>)?\(\s*'([^']+)',?\s*\)`([^`]*)`/g;

interface Statement {
  name: string;
  text: string;
  /** The text of the row type; undefined: no row is read. */
  row: string | undefined;
  /** The file that it stands in. */
  source: string;
}

const sources = globSync('src/**/*.ts', { cwd: ROOT })
  .filter((file) => !file.endsWith('.test.ts'))
  .map((file) => readFileSync(join(ROOT, file), 'utf8'));
const statements: Statement[] = sources.flatMap((source) =>
  [...source.matchAll(STATEMENT)].map(([, row, name = '', text = '']) => ({ name, text, row, source })),
);

/** TypeScript's type for each type of PostgreSQL, as src/platform/postgres/database.ts reads them. */
const TYPES: Record<string, string> = {
  bool: 'boolean',
  int2: 'number',
  int4: 'number',
  int8: 'number',
  float4: 'number',
  float8: 'number',
  text: 'string',
  varchar: 'string',
  name: 'string',
  uuid: 'string',
  numeric: 'string',
  date: 'string',
  timestamptz: 'Date',
  bytea: 'Buffer',
  _int8: 'number[]',
  _float4: 'number[]',
  _text: 'string[]',
  _uuid: 'string[]',
  json: 'JSON',
  jsonb: 'JSON',
  void: 'void',
};

/** Field → type of a row type that is written out, or named, in the same file first; undefined: made from a schema. */
function fieldsOf({ row = '', source }: Statement): Map<string, string> | undefined {
  const inline = /^\s*\{([\s\S]*)\}\s*$/.exec(row)?.[1];
  if (inline !== undefined) return fields(inline);
  const declaration = new RegExp(`interface ${row}(?: extends (\\w+))? \\{([\\s\\S]*?)\\n\\}`);
  const declared = [source, ...sources].map((text) => declaration.exec(text)).find((found) => found !== null);
  if (!declared) return undefined;
  const [, parent, body = ''] = declared;
  const inherited = parent ? fieldsOf({ row: parent, source } as Statement) : new Map<string, string>();
  return inherited && new Map([...inherited, ...fields(body)]);
}

function fields(body: string): Map<string, string> {
  const plain = body.replaceAll(/\/\*\*[\s\S]*?\*\//g, '').replaceAll(/\/\/.*/g, '');
  return new Map(
    [...plain.matchAll(/(\w+)\??:\s*((?:Array<\{[^}]*\}>|Record<[^>]*>|[^;\n])+)/g)].map(([, name = '', type = '']) => [
      name,
      type.replaceAll(/\s*\|\s*null/g, '').trim(),
    ]),
  );
}

interface Field {
  name: string;
  dataTypeID: number;
}

/** Parses and describes, and runs nothing. */
function describeStatement(client: pg.Client, text: string): Promise<Field[]> {
  return new Promise((resolve, reject) => {
    const query = {
      submit: (connection: { parse(query: object): void; describe(message: object): void; sync(): void }) => {
        connection.parse({ name: '', text, types: [] });
        connection.describe({ type: 'S', name: '' });
        connection.sync();
      },
      handleRowDescription: (message: { fields: Field[] }) => void resolve(message.fields),
      handleReadyForQuery: () => resolve([]),
      handleError: reject,
    };
    client.query(query as never);
  });
}

const it = withServer()
  .extend('client', { scope: 'file' }, async ({ server }, { onCleanup }) => {
    const client = new pg.Client({ connectionString: asSuperuser(server.databaseUrl) });
    onCleanup(() => client.end());
    await client.connect();
    return client;
  })
  .extend('typeNames', { scope: 'file' }, async ({ client }) => {
    const { rows } = await client.query<{ oid: number; typname: string }>(
      'select oid::int as oid, typname from pg_type',
    );
    return new Map(rows.map(({ oid, typname }) => [oid, typname]));
  });

describe('every named statement', () => {
  it('is found, and has a name of its own', () => {
    expect(statements.length).toBeGreaterThan(90);
    const names = statements.map(({ name }) => name);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it.for(statements.map((statement) => [statement.name, statement] as const))(
    '%s returns what its row type says',
    async ([_name, statement], { client, typeNames }) => {
      const columns = await describeStatement(client, statement.text);
      if (statement.row === undefined) {
        // Nothing is read: a function that returns nothing, or rows that nobody looks at.
        expect(columns.length).toBeLessThanOrEqual(1);
        return;
      }
      const declared = fieldsOf(statement);
      if (!declared) {
        expect(statement.row).toMatch(/z\.input<typeof \w+>|Row$/);
        return;
      }
      expect(columns.map(({ name }) => name).sort()).toEqual([...declared.keys()].sort());
      for (const { name, dataTypeID } of columns) {
        const type = TYPES[typeNames.get(dataTypeID) ?? ''];
        const wanted = declared.get(name) ?? '';
        if (type === 'JSON') expect(wanted).toMatch(/^(Array<|Record<|unknown$)/);
        else expect([name, wanted]).toEqual([name, type]);
      }
    },
  );
});
