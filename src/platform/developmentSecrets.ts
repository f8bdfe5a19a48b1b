import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { makeDataFolder, replaceFile } from './dataFolder.ts';
import { aloneNow } from './startLock.ts';
import { StartupError } from './startupError.ts';

const secretsFile = z.record(z.string(), z.string());

/**
 * Secrets for a machine where nothing is configured: made once, kept in the data folder (mode 0600),
 * so that phones stay signed in over a restart. Names that the file lacks are added.
 * @throws StartupError when the folder cannot be written, or the file cannot be read
 */
export function developmentSecrets<Name extends string>(dataDir: string, names: readonly Name[]): Record<Name, string> {
  makeDataFolder(dataDir);
  const file = join(dataDir, 'secrets.json');
  const lacking = (secrets: Record<string, string>) => names.filter((name) => !secrets[name]);
  const kept = readKept(file);
  if (lacking(kept).length === 0) return kept as Record<Name, string>;
  // Read again under a lock: a worker that starts at the same time must end up with the same secrets.
  return aloneNow(join(dataDir, 'secrets.lock'), () => {
    const secrets = readKept(file);
    for (const name of lacking(secrets)) secrets[name] = randomBytes(32).toString('base64url');
    replaceFile(file, `${JSON.stringify(secrets, null, 2)}\n`);
    return secrets as Record<Name, string>;
  });
}

function readKept(file: string): Record<string, string> {
  try {
    return secretsFile.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return {};
    throw new StartupError(
      `The secrets in ${file} cannot be read (${code ?? 'cut off or damaged'}): put the file right, or delete it ` +
        'to have new ones made; everybody signs in again then.',
    );
  }
}
