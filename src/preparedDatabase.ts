import { resolve } from 'node:path';
import type { Log } from '#platform/log.ts';
import { startEmbeddedPostgres } from '#platform/postgres/embedded.ts';
import { migrate } from '#platform/postgres/migrate.ts';
import type { Config } from './config.ts';

const DB_FOLDER = resolve(import.meta.dirname, '..', 'db');

export interface PreparedDatabase {
  /** The server's own login. */
  url: string;
  /** Stops the embedded PostgreSQL, unless another process still uses it. */
  close(): Promise<void>;
}

/**
 * The database of `DATABASE_URL`, or the embedded one, with every migration applied; each that is new is logged.
 * @throws StartupError
 */
export async function prepareDatabase(config: Config, log: Log): Promise<PreparedDatabase> {
  const embedded = config.DATABASE_URL ? undefined : await startEmbeddedPostgres(config.DATA_DIR);
  const url = config.DATABASE_URL ?? embedded?.url ?? '';
  const close = async () => embedded?.stop();
  try {
    await migrate({
      url: config.DATABASE_MIGRATION_URL ?? url,
      ...(config.DATABASE_MIGRATION_URL ? { serverUrl: url } : {}),
      folder: DB_FOLDER,
      systemUserId: config.SYSTEM_USER_ID,
      onApplied: (migration) => log.info({ migration }, 'a migration was applied'),
    });
  } catch (error) {
    await close();
    throw error;
  }
  return { url, close };
}
