/**
 * A statement with a name: the name shows in logs and plans and is the prepared statement's name.
 * The type parameter is the row that it returns, as the database's types arrive (see `database.ts`).
 */
export interface Query<Row> {
  readonly name: string;
  readonly text: string;
  /** Type only. */
  readonly row?: Row;
}

/** Declares a statement, `sql<Row>('feature.what')\`select …\``. Values go through $1, $2, …, never into the text. */
export function sql<Row = never>(name: string): (text: TemplateStringsArray) => Query<Row> {
  return (text) => ({ name, text: `/* ${name} */${text.join('')}` });
}
