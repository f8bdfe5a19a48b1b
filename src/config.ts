import { z } from 'zod';
import { readRedisUrl } from '#platform/redis.ts';
import { wantsTraces } from '#platform/tracing.ts';
import { canonicalZone } from '#platform/zone.ts';

/** Settings that are wrong or missing; `problems` holds one line for each, never a secret's value. */
export class ConfigError extends Error {
  readonly problems: string[];

  constructor(problems: string[]) {
    super(`The configuration has ${problems.length} problem(s):\n${problems.map((line) => `  - ${line}`).join('\n')}`);
    this.problems = problems;
  }
}

const SECRET_NAMES = [
  'JWT_ACCESS_SECRET',
  'JWT_REFRESH_SECRET',
  'JWT_VERIFY_SECRET',
  'JWT_FORGOT_PASSWORD_SECRET',
  'CHANGE_EMAIL_SECRET',
  'JWT_SOCKET_SECRET',
] as const;

export type SecretName = (typeof SECRET_NAMES)[number];

const REQUIRED_IN_PRODUCTION = [
  'PUBLIC_BASE_URL',
  'DATABASE_URL',
  ...SECRET_NAMES,
  'EMAIL_FROM',
  'SUPABASE_URL',
  'SUPABASE_SERVICE_ROLE',
  'GOOGLE_ALLOWED_AUDS',
  'APPLE_ALLOWED_AUDS',
] as const;

/** What may follow the host of a URL. */
const PARTS = [
  ['a user name or password', ({ username, password }: URL) => username + password],
  ['a path', ({ pathname }: URL) => pathname.replace(/^\/$/, '')],
  ['a query', ({ href }: URL) => /\?/.exec(href.split('#')[0] ?? '')?.[0] ?? ''],
  ['a fragment', ({ href }: URL) => /#/.exec(href)?.[0] ?? ''],
] as const;

/** An http(s) URL without the parts that would be lost. @param example one that has all that it may have */
const webUrl = (example: string, refused: Array<(typeof PARTS)[number][0]>) =>
  z.string().transform((text, context) => {
    const url = URL.parse(text);
    if (!url || !/^https?:$/.test(url.protocol)) {
      context.addIssue({ code: 'custom', message: 'must be an http(s) URL' });
      return z.NEVER;
    }
    for (const [name, has] of PARTS) {
      if (refused.includes(name) && has(url) !== '') {
        context.addIssue({ code: 'custom', message: `must not have ${name}: write it as ${example}` });
      }
    }
    return text;
  });
const origin = webUrl('https://example.com', ['a user name or password', 'a path', 'a query', 'a fragment']).transform(
  (text) => new URL(text).origin,
);
/** A URL to which paths are added. */
const baseUrl = webUrl('https://example.com', ['a query', 'a fragment']).transform((text) => text.replace(/\/+$/, ''));
/** A URL to which a query is added. */
const pageUrl = webUrl('https://example.com/page', ['a user name or password', 'a query', 'a fragment']);
const keysUrl = webUrl('https://example.com/keys', ['a user name or password', 'a fragment']);
/** An app may have a scheme of its own, such as `capacitor://localhost`. */
const clientOrigin = z.string().transform((text, context) => {
  const [, url = '', path = ''] = /^([a-z][a-z0-9+.-]*:\/\/[^/?#@\s]+)(.*)$/i.exec(text) ?? [];
  const parsed = URL.parse(url);
  if (parsed && /^\/?$/.test(path)) return /^https?:$/.test(parsed.protocol) ? parsed.origin : url;
  context.addIssue({ code: 'custom', message: 'must have origins, such as https://example.com, without paths' });
  return z.NEVER;
});
const wholeNumber = (fallback: number, max = 2 ** 31 - 1, min = 0) =>
  z.coerce
    .number({ error: 'must be a whole number' })
    .int('must be a whole number')
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`)
    .default(fallback);
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
);
/** On unless exactly `false`. */
const onByDefault = z
  .string()
  .optional()
  .transform((text) => text !== 'false');
/** Off unless exactly `true`. */
const offByDefault = z
  .string()
  .optional()
  .transform((text) => text === 'true');
const secret = z.string().refine((text) => Buffer.byteLength(text) >= 32, 'must have at least 32 bytes');
const postgresUrl = z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' });
const redisUrl = z.string().refine((url) => {
  try {
    return readRedisUrl(url).nodes.length > 0;
  } catch {
    return false;
  }
}, 'must be a redis:// or rediss:// URL, also with +cluster or +sentinel');
const timeZone = z.string().transform((zone, context) => {
  try {
    return canonicalZone(zone) ?? zone;
  } catch {
    context.addIssue({ code: 'custom', message: 'must be an IANA time zone' });
    return z.NEVER;
  }
});

const environment = z.object({
  NODE_ENV: z
    .enum(['development', 'test', 'production'], { error: 'must be production, development or test' })
    .default('development'),
  PORT: wholeNumber(5000, 65535),
  PUBLIC_BASE_URL: origin.optional(),
  PUBLIC_BASE_URL_RENDER_DEFAULT: origin.optional(),
  PRIVATE_BASE_URL_DEV: origin.optional(),
  TRUST_PROXY_HOPS: wholeNumber(1, 100),
  CORS_ORIGINS: list.pipe(z.array(clientOrigin)).optional(),
  MIN_APP_VERSION: z.string().default('0.0.0'),
  DATA_DIR: z.string().default('.data'),
  DATABASE_URL: postgresUrl.optional(),
  DATABASE_MIGRATION_URL: postgresUrl.optional(),
  /** A hot standby for reads: people see what they wrote all the same. */
  DATABASE_REPLICA_URL: postgresUrl.optional(),
  DATABASE_POOL_SIZE: wholeNumber(10, 1000),
  WEB_CONCURRENCY: wholeNumber(1, 64),
  DATABASE_PREPARED_STATEMENTS: onByDefault,
  /** One server, a cluster or servers behind Sentinel: `readRedisUrl` says how they are written. */
  REDIS_URL: redisUrl.optional(),
  /** Another Redis for what can be computed again, which may evict keys; the first one must not, for it has the queues. */
  REDIS_CACHE_URL: redisUrl.optional(),
  REDIS_HOST: z.string().optional(),
  REDIS_PORT: wholeNumber(6379, 65535),
  REDIS_USERNAME: z.string().optional(),
  REDIS_PASSWORD: z.string().optional(),
  JWT_ACCESS_SECRET: secret.optional(),
  JWT_REFRESH_SECRET: secret.optional(),
  JWT_VERIFY_SECRET: secret.optional(),
  JWT_FORGOT_PASSWORD_SECRET: secret.optional(),
  CHANGE_EMAIL_SECRET: secret.optional(),
  JWT_SOCKET_SECRET: secret.optional(),
  ACCESS_TOKEN_TTL_SEC: wholeNumber(300),
  REFRESH_TOKEN_TTL_SEC: wholeNumber(1209600),
  REFRESH_GRACE_SEC: wholeNumber(30),
  DPOP_ENABLED: onByDefault,
  RATE_LIMIT_ENABLED: onByDefault,
  RATE_LIMIT_GENERAL_PER_MIN: wholeNumber(100),
  CACHE_ENABLED: onByDefault,
  CACHE_TTL_PLAN_SEC: wholeNumber(172800),
  CACHE_TTL_TRACKING_SEC: wholeNumber(172800),
  CACHE_TTL_AEROBICS_SEC: wholeNumber(172800),
  CACHE_TTL_ANALYTICS_SEC: wholeNumber(3600),
  DEFAULT_TZ: timeZone.default('Asia/Jerusalem'),
  SYSTEM_USER_ID: z.guid('must be a uuid').default('8dedd0e0-8c25-4c84-a05b-4ae5f5c48f3a'),
  RESEND_API_KEY: z.string().optional(),
  RESEND_BASE_URL: baseUrl.default('https://api.resend.com'),
  /** Whether the development mailbox answers other machines, too. */
  MAILBOX_PUBLIC: offByDefault,
  EMAIL_FROM: z.string().default('Strong Together <support@example.com>'),
  PASSWORD_RESET_URL: pageUrl.optional(),
  SUPABASE_URL: origin.optional(),
  SUPABASE_SERVICE_ROLE: z.string().optional(),
  BUCKET_NAME: z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/, 'may contain letters, digits, _ and -')
    .default('profile_pics'),
  GOOGLE_JWKS_URL: keysUrl.default('https://www.googleapis.com/oauth2/v3/certs'),
  APPLE_JWKS_URL: keysUrl.default('https://appleid.apple.com/auth/keys'),
  GOOGLE_ALLOWED_AUDS: list.optional(),
  APPLE_ALLOWED_AUDS: list.optional(),
  /** SMTP server for mails, where there is no RESEND_API_KEY. */
  SMTP_URL: z.url({ protocol: /^smtps?$/, error: 'must be an smtp:// or smtps:// URL' }).optional(),
  /** Most mails per second that the mail provider accepts. */
  MAIL_MAX_PER_SEC: wholeNumber(10, 10_000, 1),
  /** Most pushes per second; Expo accepts 600 from a project. */
  PUSH_MAX_PER_SEC: wholeNumber(500, 10_000, 1),
  /** Seconds after which the receipt of a push is fetched. */
  PUSH_RECEIPT_AGE_SEC: wholeNumber(900, 86_400),
  EXPO_BASE_URL: baseUrl.optional(),
  EXPO_ACCESS_TOKEN: z.string().optional(),
  CRON_SECRET: z.string().optional(),
  /** Hour of the daily push, in each person's own time zone; `off`: none is sent. */
  DAILY_PUSH_HOUR: z
    .union([z.literal('off'), wholeNumber(9, 23)], { error: 'must be an hour from 0 to 23, or off' })
    .default(9),
  METRICS_PORT: wholeNumber(0, 65535),
  /** Address on which metrics are served; the default can be reached from this machine only. */
  METRICS_HOST: z.string().default('127.0.0.1'),
  /** Collector for traces (OTLP over HTTP), such as `http://localhost:4318`; the SDK reads its other variables itself. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional(),
  /** Milliseconds between reporting "not ready" and closing the listener, so that a load balancer can notice. */
  SHUTDOWN_DRAIN_MS: wholeNumber(1_000, 8_000),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});

type Settings = z.infer<typeof environment>;
export type Secrets = Record<SecretName, string>;

/** All settings of the process, checked, with defaults filled in. */
export interface Config extends Omit<Settings, SecretName | 'PUBLIC_BASE_URL'> {
  production: boolean;
  PUBLIC_BASE_URL: string;
  /** Origins that the `htu` of a proof may name (behaviour 0.8, check 5a). */
  proofOrigins: string[];
  /** Whether the standard variables of OpenTelemetry ask for traces. */
  traces: boolean;
  secrets: Secrets;
  /** Undefined: no Redis is configured, and in-process replacements are used. */
  redisUrl: string | undefined;
}

/**
 * Reads and checks all settings.
 * @param env the process environment; an empty string counts as absent
 * @param developmentSecrets makes the secrets that are not set; never called in production
 * @throws ConfigError with every problem at once
 */
export function loadConfig(
  env: Record<string, string | undefined>,
  developmentSecrets: (dataDir: string, names: readonly SecretName[]) => Secrets,
): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environment.safeParse(given);
  const problems = parsed.success
    ? []
    : parsed.error.issues.map(
        ({ path, message }) => `${String(path[0])}: ${message[0]?.toLowerCase()}${message.slice(1)}`,
      );
  const production = given.NODE_ENV === 'production';
  if (production) {
    for (const name of REQUIRED_IN_PRODUCTION) {
      if (!given[name]) problems.push(`${name}: missing`);
    }
    if (!given.RESEND_API_KEY && !given.SMTP_URL) problems.push('RESEND_API_KEY (or SMTP_URL): missing');
    if (!given.REDIS_URL && !given.REDIS_HOST) problems.push('REDIS_URL (or REDIS_HOST): missing');
  }
  if (Number(given.WEB_CONCURRENCY ?? 1) > 1 && !given.REDIS_URL && !given.REDIS_HOST) {
    problems.push('WEB_CONCURRENCY: several processes need Redis to share limits, used proofs and sockets');
  }
  const collector = given.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (wantsTraces(given) && collector !== undefined && !/^https?:$/.test(URL.parse(collector)?.protocol ?? '')) {
    problems.push('OTEL_EXPORTER_OTLP_ENDPOINT: must be an http(s) URL');
  }
  const secretValues = SECRET_NAMES.map((name) => given[name]).filter(Boolean);
  if (new Set(secretValues).size < secretValues.length) problems.push(`${SECRET_NAMES.join(', ')}: must all differ`);
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);

  const settings = parsed.data;
  const missing = SECRET_NAMES.filter((name) => !settings[name]);
  const made = missing.length > 0 ? developmentSecrets(settings.DATA_DIR, missing) : undefined;
  const secrets = Object.fromEntries(SECRET_NAMES.map((name) => [name, settings[name] ?? made?.[name]])) as Secrets;
  const publicBaseUrl = settings.PUBLIC_BASE_URL ?? `http://localhost:${settings.PORT}`;
  return {
    ...settings,
    production,
    secrets,
    PUBLIC_BASE_URL: publicBaseUrl,
    proofOrigins: [publicBaseUrl, settings.PUBLIC_BASE_URL_RENDER_DEFAULT, settings.PRIVATE_BASE_URL_DEV].filter(
      (value) => value !== undefined,
    ),
    traces: wantsTraces(given),
    redisUrl: settings.REDIS_URL ?? redisUrlFromParts(settings),
  };
}

function redisUrlFromParts(settings: Settings): string | undefined {
  if (!settings.REDIS_HOST) return undefined;
  const url = new URL('redis://localhost');
  url.hostname = settings.REDIS_HOST;
  url.port = String(settings.REDIS_PORT);
  url.username = encodeURIComponent(settings.REDIS_USERNAME ?? '');
  url.password = encodeURIComponent(settings.REDIS_PASSWORD ?? '');
  return url.href;
}
