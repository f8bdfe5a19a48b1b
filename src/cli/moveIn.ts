import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { type Command, UsageError } from './command.ts';

const USAGE = 'Usage: npm run db:move-in -- --from postgres://… [--leave-out]';
const SCRIPT = join(import.meta.dirname, '../../db/move_in.sql');
const ROWS_AT_ONCE = 5_000;

/** The tables of the earlier layout and the columns that are read; what a database does not have counts as null. */
const OLD_TABLES: Record<string, string> = {
  users: `id uuid, username text, email text, name text, gender text, created_at timestamptz, profile_image_url text,
    push_token text, password text, role text, is_first_login boolean, is_verified boolean, auth_provider text,
    token_version bigint`,
  oauth_accounts: `id uuid, user_id uuid, provider text, provider_user_id text, provider_email text,
    linked_at timestamptz, missing_fields text`,
  user_reminder_settings: `user_id uuid, workout_reminders_enabled boolean, reminder_offset_minutes integer,
    timezone text`,
  exercises: 'id bigint, name text, description text, targetmuscle text, specifictargetmuscle text',
  workoutplans: `id bigint, name text, numberofsplits bigint, created_at timestamptz, is_deleted boolean, level text,
    user_id uuid, trainer_id uuid, is_active boolean, updated_at timestamptz`,
  workoutsplits: 'id bigint, workout_id bigint, name text, created_at timestamptz, is_active boolean',
  exercisetoworkoutsplit: `id bigint, exercise_id bigint, workoutsplit_id bigint, created_at timestamptz,
    sets bigint[], order_index bigint, is_active boolean`,
  workout_summary: `id uuid, user_id uuid, workout_start_utc timestamptz, workout_end_utc timestamptz,
    created_at timestamptz, workoutsplit_id bigint`,
  exercisetracking: `id bigint, exercisetosplit_id bigint, weight real[], reps bigint[], notes text,
    workout_summary_id uuid`,
  aerobictracking: `id bigint, user_id uuid, type text, duration_mins bigint, duration_sec bigint,
    workout_time_utc timestamptz`,
  messages: `id uuid, sender_id uuid, receiver_id uuid, subject text, msg text, sent_at timestamptz, is_read boolean`,
};

interface Finding {
  effect: 'moved' | 'mended' | 'left out';
  what: string;
  number: string;
}

/**
 * Fills this database, in which nobody is yet, from one of the earlier layout, in one transaction; the other one is
 * only read, from one snapshot. If something does not fit, nothing is written unless `--leave-out` says so. Passwords
 * (bcrypt) stay, and with the same secrets so do sessions.
 */
export const moveIn: Command = async ({ config, ownerUrl, args, say, progress }) => {
  const { from, leaveOut } = argumentsOf(args);
  const old = await connected(from);
  const own = new pg.Client({ connectionString: ownerUrl });
  await own.connect();
  try {
    await old.query('begin isolation level repeatable read read only');
    await old.query('set local row_security = off'); // refuses where a policy would hide rows
    await own.query('begin');
    await own.query('set local search_path = public');
    await assertEmpty(own);
    // The owner of the tables is under row-level security as well, until the commit.
    await own.query(FORCING('no force'));
    await own.query(SYSTEM_USER, [config.SYSTEM_USER_ID]);
    for (const [table, columns] of Object.entries(OLD_TABLES)) {
      await own.query(`create temp table old_${table} (${columns}) on commit drop`);
      await copy(old, own, table, (rows) => progress(`${table}: ${rows} rows read`));
    }
    await own.query(await readFile(SCRIPT, 'utf8'));
    await own.query(FORCING('force'));
    const { rows } = await own.query<Finding>('select f.* from findings f where f.number > 0');
    for (const { effect, what, number } of rows) say(`${effect}: ${number} ${what}`);
    if (!rows.some(({ what }) => what === 'people')) throw new UsageError('There is nobody in the other database.');
    const isWhole = !rows.some(({ effect }) => effect === 'left out');
    if (!isWhole && !leaveOut) {
      throw new UsageError('Nothing was written, because something would be left out. With --leave-out it is.');
    }
    await own.query('commit');
    say('Done. Start the server with the secrets of before, and nobody signs in again.');
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    const { table, constraint, code = '' } = error;
    // Details, and messages of these classes, quote values.
    const why = /^2[23]/.test(code) ? 'a value does not fit' : error.message;
    const where = [table, constraint, `SQLSTATE ${code}`].filter(Boolean).join(', ');
    throw new UsageError(`Nothing was written: ${why} (${where}).`);
  } finally {
    await Promise.all([old.end(), own.end()]); // undoes what was not committed
  }
};

async function connected(url: string): Promise<pg.Client> {
  try {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return client;
  } catch (error) {
    const why = (error as { code?: string }).code ?? 'not a postgres:// URL, or refused';
    throw new UsageError(`The database to move from cannot be reached (${why}).`);
  }
}

function argumentsOf(args: string[]): { from: string; leaveOut: boolean } {
  try {
    const { values } = parseArgs({ args, options: { from: { type: 'string' }, 'leave-out': { type: 'boolean' } } });
    if (values.from) return { from: values.from, leaveOut: values['leave-out'] ?? false };
  } catch {
    // Said below.
  }
  throw new UsageError(USAGE);
}

async function assertEmpty(own: pg.Client): Promise<void> {
  await own.query('set local role service');
  const { rows } = await own.query("select count(*)::int as people from users u where u.role <> 'System'");
  await own.query('reset role');
  if (rows[0].people > 0) throw new UsageError(`There are ${rows[0].people} people in this database already.`);
}

/** Tables and columns without which there would be nothing to move, or only half of it. */
const NEEDED: Record<string, string[]> = {
  users: ['id', 'username', 'email', 'password', 'token_version', 'is_verified'],
  exercises: ['id', 'name'],
  workoutplans: ['id', 'user_id'],
  workoutsplits: ['id', 'workout_id', 'name'],
  exercisetoworkoutsplit: ['id', 'exercise_id', 'workoutsplit_id', 'sets'],
  workout_summary: ['id', 'user_id', 'workout_start_utc', 'workout_end_utc', 'workoutsplit_id'],
  exercisetracking: ['id', 'exercisetosplit_id', 'weight', 'reps', 'workout_summary_id'],
  aerobictracking: ['id', 'user_id', 'type', 'duration_mins', 'workout_time_utc'],
  messages: ['id', 'sender_id', 'receiver_id', 'subject', 'msg', 'sent_at'],
};

/** Copies a table as it is. One that is not needed and not there stays empty. @throws UsageError without what is needed */
async function copy(old: pg.Client, own: pg.Client, table: string, progress: (rows: number) => void): Promise<void> {
  const { rows: columns } = await old.query<{ name: string }>(
    'select a.attname as name from pg_attribute a where a.attrelid = to_regclass($1) and a.attnum > 0',
    [`public.${table}`],
  );
  const missing = (NEEDED[table] ?? []).filter((needed) => !columns.some(({ name }) => name === needed));
  if (missing.length > 0) {
    throw new UsageError(`The other database is not of the earlier layout: ${table} without ${missing.join(', ')}.`);
  }
  if (columns.length === 0) return;
  await old.query(`declare rows_of_${table} no scroll cursor for select to_jsonb(t) as row from public.${table} t`);
  for (let copied = 0; ; ) {
    const { rows } = await old.query(`fetch ${ROWS_AT_ONCE} from rows_of_${table}`);
    if (rows.length === 0) return;
    await own.query(`insert into old_${table} select r.* from jsonb_populate_recordset(null::old_${table}, $1) r`, [
      JSON.stringify(rows.map(({ row }) => row)),
    ]);
    copied += rows.length;
    progress(copied);
  }
}

const SYSTEM_USER = `
  select set_config('move_in.system_user_id', $1, true)`;

/** Row-level security counts for the owner of the tables, or not. */
const FORCING = (how: 'force' | 'no force') => `
  do $$
  declare
    v_table regclass;
  begin
    for v_table in select c.oid from pg_class c where c.relnamespace = 'public'::regnamespace and c.relrowsecurity loop
      execute format('alter table %s ${how} row level security', v_table);
    end loop;
  end $$`;
