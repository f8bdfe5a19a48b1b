import pg from 'pg';
import { describe, expect } from 'vitest';
import { codesIn, documentTable } from './helpers/documentTable.ts';
import { newPhone } from './helpers/person.ts';
import { asSuperuser, type TestServer, withServer } from './helpers/server.ts';

/** `shared`: the own rows and those of nobody. */
type Allowed = 'own' | 'shared' | 'nothing';

interface Policy {
  /** The user that a row belongs to, as SQL over the alias t. */
  owner: string;
  /** A column that is updated to itself; the first that is granted, where any is. */
  column: string;
  /** Copies the row t, given as SQL, for the insert. */
  copy: string;
}

const planOwner = (planId: string) => `(select p.user_id from workoutplans p where p.id = ${planId})`;
const splitOwner = (splitId: string) =>
  `(select p.user_id from workoutsplits s join workoutplans p on p.id = s.workout_id where s.id = ${splitId})`;

/** How the rights of the tenant role are tried, table by table. */
const TABLES: Record<string, Policy> = {
  users: {
    owner: 't.id',
    column: 'name',
    copy: "insert into users (username) values ('intruder')",
  },
  oauth_accounts: {
    owner: 't.user_id',
    column: 'missing_fields',
    copy: "insert into oauth_accounts (user_id, provider, provider_user_id) values ($owner, 'apple', gen_random_uuid())",
  },
  exercises: {
    owner: 't.owner_id',
    column: 'name',
    copy: "insert into exercises (owner_id, name, description, targetmuscle, specifictargetmuscle) values ($owner, 'x', 'x', 'x', 'x')",
  },
  workoutplans: {
    owner: 't.user_id',
    column: 'name',
    copy: 'insert into workoutplans (user_id, is_active) values ($owner, false)',
  },
  workoutsplits: {
    owner: planOwner('t.workout_id'),
    column: 'name',
    copy: "insert into workoutsplits (workout_id, name) select id, 'new' from workoutplans_of($owner)",
  },
  exercisetoworkoutsplit: {
    owner: splitOwner('t.workoutsplit_id'),
    column: 'order_index',
    copy: 'insert into exercisetoworkoutsplit (workoutsplit_id, exercise_id, sets, order_index) values ($split, 99, array[5], 1)',
  },
  workout_summary: {
    owner: 't.user_id',
    column: 'created_at',
    copy: 'insert into workout_summary (user_id, workoutsplit_id) values ($owner, $split)',
  },
  exercisetracking: {
    owner: '(select ws.user_id from workout_summary ws where ws.id = t.workout_summary_id)',
    column: 'notes',
    copy: 'insert into exercisetracking (exercisetosplit_id, weight, reps, workout_summary_id) values ($ets, array[1], array[1], $summary)',
  },
  exercise_records: {
    owner: 't.user_id',
    column: 'pr_weight',
    copy: 'insert into exercise_records (user_id, exercise_id, pr_weight, pr_reps, pr_start_utc, pr_tracking_id) values ($owner, 99, 1, 1, now(), 1)',
  },
  aerobictracking: {
    owner: 't.user_id',
    column: 'type',
    copy: "insert into aerobictracking (user_id, type, duration_mins) values ($owner, 'Walk', 1)",
  },
  messages: {
    owner: 't.receiver_id',
    column: 'is_read',
    copy: "insert into messages (receiver_id, subject, msg) values ($owner, 'x', 'x')",
  },
  user_reminder_settings: {
    owner: 't.user_id',
    column: 'timezone',
    copy: 'insert into user_reminder_settings (user_id) values ($owner)',
  },
  user_split_information: {
    owner: 't.user_id',
    column: 'confidence',
    copy: 'insert into user_split_information (user_id, split_id, estimated_time_utc) values ($owner, $split, now())',
  },
  outbox: {
    owner: 't.user_id',
    column: 'status',
    copy: "insert into outbox (kind, user_id, dedupe_key, expires_at) values ('x', $owner, 'new', now())",
  },
  idempotency_keys: {
    owner: 't.user_id',
    column: 'body',
    copy: "insert into idempotency_keys (user_id, route, key, body_hash, status, body) values ($owner, 'r', 'new', '', 200, '')",
  },
  seen_proofs: {
    owner: 'null::uuid',
    column: 'jti',
    copy: "insert into seen_proofs (thumbprint, jti, request_id, expires_at) values ('x', 'new', 'r', now())",
  },
  shared_versions: {
    owner: 'null::uuid',
    column: 'catalogue_version',
    copy: 'insert into shared_versions (only_row) values (true)',
  },
  log_heads: {
    owner: 't.user_id',
    column: 'version',
    copy: 'insert into log_heads (user_id) values ($owner)',
  },
  log_workouts: {
    owner: 't.user_id',
    column: 'title',
    copy: "insert into log_workouts (user_id, id, version, title, started_at, time_zone, source) values ($owner, gen_random_uuid(), 1, 'x', now(), 'UTC', 'logbook')",
  },
  log_blocks: {
    owner: 't.user_id',
    column: 'notes',
    copy: 'insert into log_blocks (user_id, id, workout_id, position, exercise_id) select user_id, gen_random_uuid(), id, 9, 1 from log_workouts where user_id = $owner',
  },
  log_sets: {
    owner: 't.user_id',
    column: 'reps',
    copy: 'insert into log_sets (user_id, block_id, position) select user_id, id, 9 from log_blocks where user_id = $owner',
  },
  log_tombstones: {
    owner: 't.user_id',
    column: 'version',
    copy: "insert into log_tombstones (user_id, id, kind, version) values ($owner, gen_random_uuid(), 'workout', 1)",
  },
  other_sessions: {
    owner: 't.user_id',
    column: 'name',
    copy: 'insert into other_sessions (user_id, expires_at) values ($owner, now())',
  },
  sign_in_codes: {
    owner: 't.user_id',
    column: 'tries',
    copy: "insert into sign_in_codes (user_id, email, expires_at) values ($owner, 'x', now())",
  },
  mailed_codes: {
    owner: 't.user_id',
    column: 'email',
    copy: "insert into mailed_codes (email, user_id, asked_from, expires_at) values ('x', $owner, 'x', now())",
  },
  retired_sets: {
    owner: 't.user_id',
    column: 'weight',
    copy: "insert into retired_sets (user_id, exercise_id, best_by, weight, reps, workout_summary_id, tracking_id) values ($owner, 99, 'weight', 1, 1, $summary, 1)",
  },
  measurements: {
    owner: 't.user_id',
    column: 'value',
    copy: "insert into measurements (user_id, id, version, kind, value, unit, measured_at) values ($owner, gen_random_uuid(), 1, 'waist', 1, 'cm', now())",
  },
  exercise_aliases: {
    owner: 't.owner_id',
    column: 'name',
    copy: "insert into exercise_aliases (owner_id, name, exercise_id) values ($owner, 'new', 1)",
  },
  app_finishes: {
    owner: 't.user_id',
    column: 'ended_at',
    copy: "insert into app_finishes (user_id, started_at, ended_at, content_hash, workout_id) values ($owner, now(), now(), '', gen_random_uuid())",
  },
  imports: {
    owner: 't.user_id',
    column: 'state',
    copy: "insert into imports (user_id, source, time_zone, facts, total) values ($owner, 'hevy', 'UTC', '{}', 0)",
  },
  import_workouts: {
    owner: 't.user_id',
    column: 'content',
    copy: "insert into import_workouts (user_id, import_id, position, id, content) select user_id, id, 9, gen_random_uuid(), '{}' from imports where user_id = $owner",
  },
  push_tickets: {
    owner: 't.user_id',
    column: 'push_token',
    copy: "insert into push_tickets (ticket_id, user_id, push_token) values ('new', $owner, 'x')",
  },
  security_events: {
    owner: 't.user_id',
    column: 'kind',
    copy: "insert into security_events (kind, user_id) values ('login-failed', $owner)",
  },
  schema_migrations: {
    owner: 'null::uuid',
    column: 'name',
    copy: "insert into schema_migrations (name, checksum) values ('x', 'x')",
  },
};

/** A cell such as `own: \`name\`, \`email\`` of the table in behaviour 3.5. */
function rightOf(cell = '–') {
  const [allowed = ''] = cell.split(':');
  return { allowed: (allowed === '–' ? 'nothing' : allowed) as Allowed, columns: codesIn(cell) };
}
type Right = ReturnType<typeof rightOf>;
type Rights = Record<'select' | 'insert' | 'update', Right>;

/** What a person may do with a table, as behaviour 3.5 says. Delete and truncate: nothing, anywhere. */
const DOCUMENTED = new Map<string, Rights>(
  documentTable('behaviour/data.md', 'table', 'read', 'add', 'change').flatMap((row) => {
    const rights = { select: rightOf(row.read), insert: rightOf(row.add), update: rightOf(row.change) };
    return codesIn(row.table).map((table): [string, Rights] => [table, rights]);
  }),
);
const NOTHING: Rights = { select: rightOf(), insert: rightOf(), update: rightOf() };
const MATRIX = Object.entries(TABLES).map(
  ([table, policy]) => [table, policy, DOCUMENTED.get(table) ?? NOTHING] as const,
);

type People = Record<'owner' | 'stranger', Awaited<ReturnType<typeof furnish>>>;

const it = withServer()
  .extend('db', { scope: 'file' }, async ({ server }, { onCleanup }) => {
    const db = new pg.Client({ connectionString: asSuperuser(server.databaseUrl) });
    onCleanup(() => db.end());
    await db.connect();
    return db;
  })
  // Before every test: where nobody has a row, nobody can see too much.
  .extend(
    'people',
    { scope: 'file', auto: true },
    async ({ server, db }): Promise<People> => ({
      owner: await furnish(server, db),
      stranger: await furnish(server, db),
    }),
  );

/** A person with a row in every table. */
async function furnish(server: TestServer, db: pg.Client) {
  const { id } = await newPhone(server);
  const one = async (text: string, values: unknown[]) => (await db.query(text, values)).rows[0].id as string;
  const plan = await one('insert into workoutplans (user_id) values ($1) returning id', [id]);
  const split = await one("insert into workoutsplits (workout_id, name) values ($1, 'A') returning id", [plan]);
  const ets = await one(
    'insert into exercisetoworkoutsplit (workoutsplit_id, exercise_id, sets, order_index) values ($1, 1, array[5], 0) returning id',
    [split],
  );
  const summary = await one('insert into workout_summary (user_id, workoutsplit_id) values ($1, $2) returning id', [
    id,
    split,
  ]);
  await db.query(
    'insert into exercisetracking (exercisetosplit_id, weight, reps, workout_summary_id) values ($1, array[50], array[5], $2)',
    [ets, summary],
  );
  await db.query("insert into aerobictracking (user_id, type, duration_mins) values ($1, 'Run', 10)", [id]);
  await db.query("insert into messages (receiver_id, subject, msg) values ($1, 'Hi', 'Hi')", [id]);
  await db.query(
    "insert into oauth_accounts (user_id, provider, provider_user_id) values ($1::uuid, 'google', $1::text)",
    [id],
  );
  await db.query('insert into user_split_information (user_id, split_id, estimated_time_utc) values ($1, $2, now())', [
    id,
    split,
  ]);
  await db.query("insert into outbox (kind, user_id, dedupe_key, expires_at) values ('x', $1::uuid, $1::text, now())", [
    id,
  ]);
  await db.query(
    "insert into idempotency_keys (user_id, route, key, body_hash, status, body) values ($1, 'r', 'k', '', 200, '')",
    [id],
  );
  await db.query('insert into other_sessions (user_id, expires_at) values ($1, now())', [id]);
  await db.query('insert into sign_in_codes (user_id, email, expires_at) values ($1::uuid, $1::text, now())', [id]);
  await db.query(
    "insert into mailed_codes (email, user_id, asked_from, expires_at) values ($1::text, $1::uuid, 'x', now())",
    [id],
  );
  await db.query(
    `insert into retired_sets (user_id, exercise_id, best_by, weight, reps, workout_summary_id, tracking_id)
     values ($1, 1, 'weight', 1, 1, $2, 1)`,
    [id, summary],
  );
  const own = await one(
    `insert into exercises (owner_id, name, description, targetmuscle, specifictargetmuscle)
     values ($1, 'Own', '', 'Legs', 'Quads')
     returning id`,
    [id],
  );
  await db.query("insert into exercise_aliases (owner_id, name, exercise_id) values ($1, 'alias', $2)", [id, own]);
  await db.query('insert into log_heads (user_id) values ($1)', [id]);
  await db.query(
    `insert into log_workouts (user_id, id, version, title, started_at, time_zone, source)
     values ($1, gen_random_uuid(), 1, 'A', now(), 'UTC', 'logbook')`,
    [id],
  );
  await db.query(
    `insert into log_blocks (user_id, id, workout_id, position, exercise_id)
     select w.user_id, gen_random_uuid(), w.id, 0, $2 from log_workouts w where w.user_id = $1`,
    [id, own],
  );
  await db.query(
    `insert into log_sets (user_id, block_id, position, reps)
     select b.user_id, b.id, 0, 5 from log_blocks b where b.user_id = $1`,
    [id],
  );
  await db.query(
    "insert into log_tombstones (user_id, id, kind, version) values ($1, gen_random_uuid(), 'workout', 1)",
    [id],
  );
  await db.query(
    `insert into measurements (user_id, id, version, kind, value, unit, measured_at)
     values ($1, gen_random_uuid(), 1, 'waist', 80, 'cm', now())`,
    [id],
  );
  await db.query("insert into imports (user_id, source, time_zone, facts, total) values ($1, 'hevy', 'UTC', '{}', 0)", [
    id,
  ]);
  await db.query(
    `insert into import_workouts (user_id, import_id, position, id, content)
     select i.user_id, i.id, 0, gen_random_uuid(), '{}' from imports i where i.user_id = $1`,
    [id],
  );
  await server.sql("insert into security_events (kind, user_id) values ('login-failed', $1)", [id]);
  await db.query("insert into push_tickets (ticket_id, user_id, push_token) values ($1::text, $1::uuid, 'x')", [id]);
  await db.query("insert into seen_proofs (thumbprint, jti, request_id, expires_at) values ($1, 'j', 'r', now())", [
    id,
  ]);
  return { id, split, ets, summary };
}

/** Runs one statement as the owner's tenant and undoes it. @returns affected rows, or the SQLSTATE of a refusal */
async function asTenant(
  db: pg.Client,
  people: People,
  statement: string,
  values: unknown[] = [],
): Promise<number | string> {
  await db.query('begin');
  try {
    await db.query("select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)", [
      JSON.stringify({ sub: people.owner.id, role: 'authenticated' }),
    ]);
    return (await db.query(statement, values)).rowCount ?? 0;
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await db.query('rollback');
  }
}

const DENIED = '42501';

describe('row-level security', () => {
  it('the matrix names every table', async ({ db }) => {
    const { rows } = await db.query(
      "select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'",
    );
    expect(rows.map((row) => row.relname).sort()).toEqual(Object.keys(TABLES).sort());
    expect([...DOCUMENTED.keys()].filter((table) => !(table in TABLES))).toEqual([]);
  });

  it.for(['select', 'insert', 'update'] as const)(
    'the columns of behaviour 3.5 are those of the catalogue: %s',
    async (verb, { db }) => {
      const { rows } = await db.query<{ table: string; all: boolean; columns: string[] | null }>(
        `select
         c.relname as table,
         has_table_privilege('authenticated', c.oid, $1) as all,
         array_agg(a.attname::text) filter (where has_column_privilege('authenticated', c.oid, a.attnum, $1)) as columns
       from pg_class c
       join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
       group by c.oid
       order by c.relname`,
        [verb],
      );
      const granted = rows.map(({ table, all, columns }) => [table, all ? 'all' : (columns ?? []).toSorted()]);
      const documented = rows.map(({ table }) => {
        const { allowed, columns } = (DOCUMENTED.get(table) ?? NOTHING)[verb];
        return [table, allowed === 'nothing' ? [] : columns.length === 0 ? 'all' : columns.toSorted()];
      });
      expect(documented).toEqual(granted);
    },
  );

  it('the functions of behaviour 3.5 are those that a person may call, and no trigger can be attached', async ({
    db,
  }) => {
    const { rows } = await db.query<{ name: string; is_trigger: boolean }>(
      `select distinct p.proname as name, p.prorettype = 'trigger'::regtype as is_trigger
       from pg_proc p
       where p.pronamespace in ('public'::regnamespace, 'app'::regnamespace)
         and has_function_privilege('authenticated', p.oid, 'execute')
       order by 1`,
    );
    const documented = documentTable('behaviour/data.md', 'function', 'does').flatMap((row) => codesIn(row.function));
    expect(rows.map(({ name }) => name)).toEqual(documented.toSorted());
    expect(rows.filter(({ is_trigger }) => is_trigger)).toEqual([]);
  });

  it('the login may call no function that only a trigger needs', async ({ db }) => {
    const { rows } = await db.query(
      `select p.proname as name
       from pg_proc p
       where p.pronamespace in ('public'::regnamespace, 'app'::regnamespace)
         and p.prorettype = 'trigger'::regtype
         and has_function_privilege('strong_together', p.oid, 'execute')
         and not pg_has_role('strong_together', p.proowner, 'usage')`,
    );
    expect(rows).toEqual([]);
  });

  it('is enabled and forced on every table, with a policy and an index on the owner', async ({ db }) => {
    const { rows } = await db.query(`
      select
        c.relname as table,
        c.relrowsecurity and c.relforcerowsecurity as forced,
        exists (select from pg_policy pol where pol.polrelid = c.oid) as has_policy,
        not exists (
          -- a foreign key column that no index starts with makes its policy or its cascade scan the table
          select
          from pg_constraint con
          where con.conrelid = c.oid
            and con.contype = 'f'
            and not exists (
              select from pg_index i where i.indrelid = c.oid and i.indkey[0] = con.conkey[1]
            )
        ) as keys_indexed
      from pg_class c
      where c.relnamespace = 'public'::regnamespace
        and c.relkind = 'r'
      order by 1`);
    expect(rows.filter((row) => !(row.forced && row.has_policy && row.keys_indexed))).toEqual([]);
  });

  it('views run with the rights of their reader and name the owner', async ({ db }) => {
    const { rows } = await db.query(`
      select c.relname,
        coalesce('security_invoker=on' = any (c.reloptions), false) as invoker,
        exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'user_id') as has_owner
      from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind = 'v'`);
    expect(rows).toHaveLength(5);
    expect(rows.every((row) => row.invoker && row.has_owner)).toBe(true);
  });

  it('definer functions belong to the service role, fix their search_path, and are closed to PUBLIC', async ({
    db,
  }) => {
    const { rows } = await db.query(`
      select p.oid::regprocedure::text as name
      from pg_proc p
      where p.pronamespace in ('public'::regnamespace, 'app'::regnamespace)
        and (
          has_function_privilege('public', p.oid, 'execute')
          or (p.prosecdef and (pg_get_userbyid(p.proowner) <> 'service' or not coalesce(p.proconfig::text like '%search_path%', false)))
        )`);
    expect(rows).toEqual([]);
  });

  it('neither role may log in, bypass security or inherit; the login is no superuser', async ({ db }) => {
    const { rows } = await db.query(
      `select r.rolname, r.rolsuper, r.rolbypassrls, r.rolcanlogin from pg_roles r
       where r.rolname in ('authenticated', 'service', 'strong_together') order by 1`,
    );
    expect(rows).toEqual([
      { rolname: 'authenticated', rolsuper: false, rolbypassrls: false, rolcanlogin: false },
      { rolname: 'service', rolsuper: false, rolbypassrls: false, rolcanlogin: false },
      { rolname: 'strong_together', rolsuper: false, rolbypassrls: false, rolcanlogin: true },
    ]);
  });

  it('without a scope the login sees no row', async ({ server }) => {
    const login = new pg.Client({ connectionString: server.databaseUrl });
    await login.connect();
    try {
      for (const table of Object.keys(TABLES).filter(
        (name) => !['schema_migrations', 'security_events'].includes(name),
      )) {
        expect([table, (await login.query(`select 1 from ${table}`)).rowCount]).toEqual([table, 0]);
      }
      await login.query('begin');
      await login.query('set local role authenticated');
      expect((await login.query('select id from users')).rowCount).toBe(0);
    } finally {
      await login.end();
    }
  });
});

describe.each(MATRIX)('%s as the tenant role', (table, policy, { select, insert, update }) => {
  const columns = table === 'users' ? 'id, name' : '*';
  const rowOf = (people: People, person: 'owner' | 'stranger') => `${policy.owner} = '${people[person].id}'`;
  const isOwned = policy.owner !== 'null::uuid';
  const copyFor = (people: People, person: 'owner' | 'stranger') => {
    const { id, split, ets, summary } = people[person];
    return policy.copy
      .replace('workoutplans_of($owner)', `(select id from workoutplans where user_id = '${id}') p`)
      .replaceAll('$owner', `'${id}'`)
      .replaceAll('$split', split)
      .replaceAll('$ets', ets)
      .replaceAll('$summary', `'${summary}'`);
  };

  it('select', async ({ db, people }) => {
    const all = await asTenant(db, people, `select ${columns} from ${table} t`);
    if (select.allowed === 'nothing') expect(all).toBe(DENIED);
    if (select.allowed !== 'nothing') {
      const shared = select.allowed === 'shared' ? `or ${policy.owner} is null` : '';
      const { rows } = await db.query(
        `select count(*)::int as mine from ${table} t where ${rowOf(people, 'owner')} ${shared}`,
      );
      expect(rows[0].mine).toBeGreaterThan(0);
      expect(all).toBe(rows[0].mine);
    }
  });

  it('update', async ({ db, people }) => {
    const touch = `update ${table} t set ${policy.column} = ${policy.column}`;
    const all = await asTenant(db, people, touch);
    if (update.allowed === 'nothing') {
      expect(all).toBe(DENIED);
      return;
    }
    const { rows } = await db.query(`select count(*)::int as mine from ${table} t where ${rowOf(people, 'owner')}`);
    expect(all).toBe(rows[0].mine);
  });

  it('insert', async ({ db, people }) => {
    const own = await asTenant(db, people, copyFor(people, 'owner'));
    expect(own).toBe(insert.allowed === 'own' ? 1 : DENIED);
    if (isOwned && insert.allowed === 'own') {
      // A subquery over another person's rows finds none of them, so such an insert may also insert nothing.
      expect([DENIED, 0]).toContain(await asTenant(db, people, copyFor(people, 'stranger')));
    }
  });

  it('delete and truncate', async ({ db, people }) => {
    expect(await asTenant(db, people, `delete from ${table}`)).toBe(DENIED);
    expect(await asTenant(db, people, `truncate ${table} cascade`)).toBe(DENIED);
  });
});

describe('the tenant role (IS3)', () => {
  it.for([
    'select password from users',
    "update users set role = 'Admin'",
    'update users set is_verified = true',
    'update users set token_version = 0',
    "update users set email = 'x@example.com'",
    "update users set password = 'x'",
    "update messages set msg = 'x'",
    'update user_reminder_settings set version = 7',
    'select housekeeping_compact_old_workouts()',
    'select refresh_user_split_information()',
    "select app.send_welcome_message('9954f1f0-0000-4000-8000-000000000000')",
    "select app.session_states('{9954f1f0-0000-4000-8000-000000000000}')",
    'create table public.mine (id int)',
    'create table app.mine (id int)',
  ])('may not: %s', async (statement, { db, people }) => {
    expect(await asTenant(db, people, statement)).toBe(DENIED);
  });

  it("may not track sets on another person's exercise in an own workout, nor the other way round", async ({
    db,
    people,
  }) => {
    const insert =
      'insert into exercisetracking (exercisetosplit_id, weight, reps, workout_summary_id) values ($1, array[1], array[1], $2)';
    expect(await asTenant(db, people, insert, [people.stranger.ets, people.owner.summary])).toBe(DENIED);
    expect(await asTenant(db, people, insert, [people.owner.ets, people.stranger.summary])).toBe(DENIED);
  });

  it('may delete a received message softly', async ({ db, people }) => {
    expect(await asTenant(db, people, 'update messages set deleted_at = now()')).toBeGreaterThan(0);
  });
});
