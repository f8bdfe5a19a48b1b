import { type Config, loadConfig } from '#src/config.ts';

/** A configuration without a server around it: a secret of its own for each kind of token, always the same. */
export function testConfig(env: Record<string, string> = {}): Config {
  return loadConfig(
    { NODE_ENV: 'test', ...env },
    (_folder, names) => Object.fromEntries(names.map((name) => [name, name.padEnd(40, '.')])) as Config['secrets'],
  );
}
