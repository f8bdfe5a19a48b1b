import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '#platform/dataFolder.ts';
import { StartupError } from '#platform/startupError.ts';
import { asOrdinaryUser, type Binaries, ordinaryAccount } from './binaries.ts';

export interface Cluster {
  /** The folder around it: password, lock and what is being made. */
  root: string;
  dir: string;
  binaries: Binaries;
  /** Of the superuser and of the server's login. */
  password: string;
}

/** In a cluster that was made whole before it got its name. */
const MARKER = 'initialised';
/** From here on PostgreSQL numbers databases that somebody made; below are its own. */
const FIRST_OWN_DATABASE = 16_384;

export const passwordFile = (root: string) => join(root, 'password');

/**
 * The cluster in a folder, made if there is none. It is made aside, so that a start which dies on the way
 * leaves nothing that looks like one. Nobody else may do this at the same time.
 * @throws StartupError
 */
export async function keptCluster(root: string, binaries: Binaries): Promise<Cluster> {
  const dir = join(root, 'cluster');
  removeRemains(root);
  if (!isWhole(dir)) await initialise(root, dir, binaries);
  const password = existsSync(passwordFile(root)) ? readFileSync(passwordFile(root), 'utf8').trim() : '';
  if (password) return { root, dir, binaries, password };
  throw new StartupError(
    `The password of the embedded PostgreSQL is missing in ${passwordFile(root)}: put it back, or move ${root} ` +
      'away to begin with an empty database.',
  );
}

/** An older version made clusters in place and marked none; one without a database of ours holds nothing yet. */
function isWhole(dir: string): boolean {
  if (existsSync(join(dir, MARKER))) return true;
  try {
    return readdirSync(join(dir, 'base')).some((name) => Number(name) >= FIRST_OWN_DATABASE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error; // it cannot be looked into, so it must not be replaced
  }
}

async function initialise(root: string, dir: string, binaries: Binaries): Promise<void> {
  replaceFile(passwordFile(root), randomBytes(24).toString('base64url'));
  const aside = mkdtempSync(join(root, 'cluster-'));
  const account = ordinaryAccount();
  if (account) for (const path of [aside, passwordFile(root)]) chownSync(path, account.uid, account.gid);
  try {
    await asOrdinaryUser(binaries.initdb, [
      `--pgdata=${aside}`,
      '--username=postgres',
      `--pwfile=${passwordFile(root)}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ]);
  } catch (error) {
    if (error instanceof StartupError) throw error;
    const { stderr, message } = error as Error & { stderr?: string };
    const said = (stderr || message).trim().split('\n').at(-1);
    throw new StartupError(
      `The embedded PostgreSQL in ${root} could not be made (${said}): mend that, or set DATABASE_URL to another PostgreSQL.`,
      { cause: error },
    );
  }
  writeFileSync(join(aside, MARKER), '');
  if (existsSync(dir)) renameSync(dir, `${aside}-unfinished`);
  renameSync(aside, dir);
  removeRemains(root);
}

/** What starts that died on the way left behind; an `initdb` that still runs in one fails by itself. */
function removeRemains(root: string): void {
  for (const name of readdirSync(root)) {
    if (!name.startsWith('cluster-')) continue;
    try {
      rmSync(join(root, name), { recursive: true, force: true, maxRetries: 3 });
    } catch {
      // something still writes there: the next start removes it
    }
  }
}
