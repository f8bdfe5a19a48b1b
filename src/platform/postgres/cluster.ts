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
  /** The folder that the cluster is in, with its password file and its lock. */
  root: string;
  dir: string;
  binaries: Binaries;
  /** Password of the superuser and of the server's login. */
  password: string;
}

/** A file that marks a finished cluster: it is written before the cluster gets its final name. */
const MARKER = 'initialised';
/** PostgreSQL gives numbers from here on to databases that somebody created; its own have lower ones. */
const FIRST_OWN_DATABASE = 16_384;

export const passwordFile = (root: string) => join(root, 'password');

/**
 * The cluster in a folder, created if there is none. It is created under another name and then renamed, so that a
 * start that is killed leaves nothing that looks like a finished one. The caller holds the lock of the folder.
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

/** Whether a cluster is finished. Older versions wrote no marker: theirs is finished if it has a database of ours. */
function isWhole(dir: string): boolean {
  if (existsSync(join(dir, MARKER))) return true;
  try {
    return readdirSync(join(dir, 'base')).some((name) => Number(name) >= FIRST_OWN_DATABASE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error; // it cannot be read, so it must not be replaced
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

/** Removes what killed starts left behind; an `initdb` that still runs there fails by itself. */
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
