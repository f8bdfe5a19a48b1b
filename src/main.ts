import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { networkOrigins } from '#identity/ownOrigins.ts';
import { developmentSecrets } from '#platform/developmentSecrets.ts';
import { buildLog, type Log } from '#platform/log.ts';
import { StartupError } from '#platform/startupError.ts';
import { type Config, ConfigError, loadConfig } from './config.ts';
import { lookAtAddress } from './doctor/lookAtAddress.ts';
import { prepareDatabase } from './preparedDatabase.ts';
import { startServer } from './server.ts';
import { startWebProcesses } from './webProcesses.ts';

const ROLES = ['all', 'api', 'worker', 'migrate'] as const;
type Role = (typeof ROLES)[number];

/** Longest that a shutdown may take, in milliseconds. */
const SHUTDOWN_MS = 10_000;
/** Scripts of package.json that start a server. */
const NPM_SCRIPTS = ['start', 'api', 'worker'];
/** The processes that started this one. */
const ANCESTORS = ancestors();
/** How often a server that npm started looks whether npm is still there, in milliseconds. */
const LOOK_FOR_NPM_MS = 1_000;
const LOOPBACK = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|$)/;

async function start(role: Role): Promise<void> {
  const config = loadConfig(process.env, developmentSecrets);
  const log = buildLog(config.LOG_LEVEL);
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'a background failure'));
  if (role !== 'worker' && role !== 'migrate' && cluster.isPrimary) await assertPortFree(config.PORT);
  const database = await prepareDatabase(config, log);
  const closers = [database.close];
  try {
    if (role !== 'migrate') {
      const isSplit = role !== 'worker' && config.WEB_CONCURRENCY > 1;
      const runs = { api: role !== 'worker' && !isSplit, workers: role !== 'api' };
      if (runs.api || runs.workers) closers.unshift((await startServer(config, database.url, log, runs)).close);
      if (isSplit) closers.unshift((await startWebProcesses(config, database.url, log)).close);
      if (!config.production && cluster.isPrimary) console.log(banner(config, role));
      if (role !== 'worker' && cluster.isPrimary) void sayAddress(config, log);
      shutDownOnSignal(closers);
      return;
    }
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
  await closeAll(closers);
}

/** Tells the operator where people open the page, and warns where they would be refused. */
async function sayAddress(config: Config, log: Log): Promise<void> {
  const page = `${config.PUBLIC_BASE_URL}/app`;
  log.info({ page }, 'people open the page at this address; at another one it is refused (PUBLIC_BASE_URL)');
  for (const { is, text } of await lookAtAddress(config)) if (is === 'fail') log.warn(text);
}

/** Checked before the embedded database is started, which would be in vain without a free port. */
async function assertPortFree(port: number): Promise<void> {
  const probe = createServer();
  const { promise, resolve: free, reject } = Promise.withResolvers<void>();
  probe.once('error', reject).listen(port, free);
  try {
    await promise;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${code})`;
    throw new StartupError(`Port ${port} ${why}: stop it, or set PORT.`);
  }
  await new Promise((closed) => probe.close(closed));
}

async function closeAll(closers: Array<() => Promise<void>>): Promise<void> {
  for (const close of closers) await close();
}

function shutDownOnSignal(closers: Array<() => Promise<void>>): void {
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(1);
    stopping = true;
    setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
    closeAll(closers).then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', stop);
  // Ctrl-C reaches every process of a terminal; those of the API are told by the one that started them.
  process.on('SIGINT', cluster.isPrimary ? stop : () => undefined);
  if (cluster.isPrimary && NPM_SCRIPTS.includes(process.env.npm_lifecycle_event ?? '')) stopWithNpm(stop);
}

/** Parent and, where the system tells it in a file, its parent: between npm and this process there is a shell. */
function ancestors(): string {
  let stat = '';
  try {
    stat = readFileSync(`/proc/${process.ppid}/stat`, 'utf8');
  } catch {
    // not Linux, or the parent has gone
  }
  return [process.ppid, stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]].join(' ');
}

/** A signal to npm alone ends npm and does not reach the server, which would hold the port for ever. */
function stopWithNpm(stop: () => void): void {
  const timer = setInterval(() => {
    if (ancestors() === ANCESTORS) return;
    clearInterval(timer);
    stop();
  }, LOOK_FOR_NPM_MS).unref();
}

function banner(config: Config, role: Role): string {
  const lines = [
    ['runs', role === 'all' ? 'API and workers' : role],
    ...(config.WEB_CONCURRENCY > 1 && role !== 'worker' ? [['processes', `${config.WEB_CONCURRENCY} of the API`]] : []),
    ['database', config.DATABASE_URL ? 'DATABASE_URL' : `embedded PostgreSQL in ${config.DATA_DIR}`],
    ['redis', config.redisUrl ? 'yes' : 'none: in-process stand-ins'],
    ...(role === 'worker' ? [] : addresses(config)),
  ];
  return ['', '  Strong Together', ...lines.map(([name = '', value]) => `  ${name.padEnd(9)} ${value}`), ''].join('\n');
}

/** Where things are: here, and for a phone on the same network. */
function addresses(config: Config): string[][] {
  const [base, local] = [config.PUBLIC_BASE_URL, `http://localhost:${config.PORT}`];
  const network = networkOrigins(config.PORT);
  const hasMailbox = !config.RESEND_API_KEY && !config.SMTP_URL;
  const reader = config.MAILBOX_PUBLIC ? '' : ' (on this machine only; MAILBOX_PUBLIC=true opens it)';
  const isHere = network.includes(base) || (LOOPBACK.test(base) && new URL(base).port === String(config.PORT));
  const phoneCannotOpen = network[0] !== undefined && LOOPBACK.test(base);
  return [
    ['page', `${local}/app`],
    ...(isHere ? [] : [['', `${base}/app (PUBLIC_BASE_URL), which has to lead here`]]),
    ['API', base],
    ...network.map((origin, index) => [index === 0 ? 'phones' : '', origin]),
    ['docs', `${local}/docs`],
    ...(hasMailbox ? [['mailbox', `${local}/dev/mailbox${reader}`]] : []),
    ...(phoneCannotOpen ? [['mails', `link to ${base}; for a phone start with PUBLIC_BASE_URL=${network[0]}`]] : []),
  ];
}

const role = (process.argv[2] ?? 'all') as Role;
try {
  if (!ROLES.includes(role)) throw new StartupError(`Unknown command ${role}; known: ${ROLES.join(', ')}.`);
  await start(role);
} catch (error) {
  if (!(error instanceof StartupError || error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exit(1);
}
