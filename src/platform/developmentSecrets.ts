import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
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
  const missing = names.filter((name) => !kept[name]);
  for (const name of missing) kept[name] = randomBytes(32).toString('base64url');
  if (missing.length > 0) {
    writeFileSync(file, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 });
  }
  return kept as Record<Name, string>;
}

function readKept(file: string): Record<string, string> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}
