import { randomBytes } from 'node:crypto';
import { copyFileSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDataFolder } from './dataFolder.ts';

/**
 * Secrets for a machine where nothing is configured: made once, kept in the data folder (mode 0600),
 * so that phones stay signed in over a restart. Names that the file lacks are added.
 * @throws StartupError when the folder cannot be written
 */
export function keptSecrets<Name extends string>(dataDir: string, names: readonly Name[]): Record<Name, string> {
  makeDataFolder(dataDir);
  const file = join(dataDir, 'secrets.json');
  const kept = readKept(file);
  const made = names.filter((name) => !kept?.[name]).map((name) => [name, randomBytes(32).toString('base64url')]);
  const secrets = { ...kept, ...Object.fromEntries(made) };
  if (made.length === 0 || replace(file, secrets, kept === undefined)) return secrets;
  return keptSecrets(dataDir, names);
}

/** False when another process, such as a worker started at the same time, made the file first. */
function replace(file: string, secrets: Record<string, string>, isNew: boolean): boolean {
  const part = `${file}.${process.pid}`;
  writeFileSync(part, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  try {
    if (isNew) linkSync(part, file);
    else copyFileSync(part, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(part, { force: true });
  }
}

function readKept(file: string): Record<string, string> | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
