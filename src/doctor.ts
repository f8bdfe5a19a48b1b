// Looks at everything that a server needs, and says in plain sentences what is wrong: `npm run doctor`.
import { developmentSecrets } from '#platform/developmentSecrets.ts';
import { buildLog } from '#platform/log.ts';
import { ConfigError, loadConfig } from './config.ts';
import type { Finding } from './doctor/finding.ts';
import { lookAtAddress } from './doctor/lookAtAddress.ts';
import { lookAtPostgres } from './doctor/lookAtPostgres.ts';
import { lookAtRedis } from './doctor/lookAtRedis.ts';
import { lookOutside } from './doctor/lookOutside.ts';

const MARKS: Record<Finding['is'], string> = { ok: 'ok  ', warn: 'note', fail: 'BAD ' };

async function look(): Promise<Finding[]> {
  const config = loadConfig(process.env, developmentSecrets);
  const log = buildLog('silent');
  const found = await Promise.all([
    lookAtAddress(config),
    lookAtPostgres(config),
    lookAtRedis(config, log),
    lookOutside(config),
  ]);
  return [{ is: 'ok', text: 'Configuration: complete.' }, ...found.flat()];
}

try {
  const found = await look();
  for (const { is, text } of found) console.log(`${MARKS[is]} ${text}`);
  const bad = found.filter(({ is }) => is === 'fail').length;
  console.log(bad === 0 ? 'Nothing is wrong.' : `${bad} to be mended.`);
  process.exitCode = bad === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  for (const problem of error.problems) console.log(`${MARKS.fail} Configuration: ${problem}.`);
  process.exitCode = 1;
}
