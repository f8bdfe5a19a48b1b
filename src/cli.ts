import { buildOutbox } from '#outbox/outbox.ts';
import { developmentSecrets } from '#platform/developmentSecrets.ts';
import { buildLog } from '#platform/log.ts';
import { openDatabase } from '#platform/postgres/database.ts';
import { StartupError } from '#platform/startupError.ts';
import { adminLink } from './cli/adminLink.ts';
import { type Command, UsageError } from './cli/command.ts';
import { moveIn } from './cli/moveIn.ts';
import { rebuildRecords } from './cli/rebuildRecords.ts';
import { sendMessage } from './cli/sendMessage.ts';
import { ConfigError, loadConfig } from './config.ts';
import { prepareDatabase } from './preparedDatabase.ts';

/** What an operator can run, with or without a running server: `node src/cli.ts NAME …`. */
const COMMANDS: Record<string, Command> = {
  'admin-link': adminLink,
  'move-in': moveIn,
  'rebuild-records': rebuildRecords,
  'send-message': sendMessage,
};

function progress(line: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r${line}`);
  else console.log(line);
}

async function run(name: string | undefined, args: string[]): Promise<void> {
  const command = COMMANDS[name ?? ''];
  if (!command) throw new UsageError(`Unknown command ${name}; known: ${Object.keys(COMMANDS).join(', ')}.`);
  const config = loadConfig(process.env, developmentSecrets);
  const log = buildLog('warn');
  const database = await prepareDatabase(config, log);
  try {
    const db = openDatabase({
      url: database.url,
      poolSize: 2,
      preparedStatements: config.DATABASE_PREPARED_STATEMENTS,
      log,
    });
    try {
      const ownerUrl = config.DATABASE_MIGRATION_URL ?? database.url;
      await command({
        config,
        db,
        ownerUrl,
        log,
        outbox: buildOutbox(),
        args,
        say: (line) => console.log(line),
        progress,
      });
    } finally {
      await db.close();
    }
  } finally {
    await database.close();
  }
}

const [name, ...args] = process.argv.slice(2);
try {
  await run(name, args);
} catch (error) {
  if (!(error instanceof StartupError || error instanceof ConfigError || error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
