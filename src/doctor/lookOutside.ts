import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pictureFolder } from '#platform/storage/diskStorage.ts';
import type { Config } from '#src/config.ts';
import { type Finding, fail, ok, reasonOf, warn } from './finding.ts';

const TIMEOUT_MS = 5_000;
const LEAST_FREE_BYTES = 1024 ** 3;

/** Looks whether mail, push, sign-in providers and the store of pictures can be reached. Nothing is sent to anybody. */
export async function lookOutside(config: Config): Promise<Finding[]> {
  return (
    await Promise.all([
      lookAtMail(config),
      lookAtPushes(config),
      lookAtKeys('Google', config.GOOGLE_ALLOWED_AUDS, config.GOOGLE_JWKS_URL),
      lookAtKeys('Apple', config.APPLE_ALLOWED_AUDS, config.APPLE_JWKS_URL),
      lookAtPictures(config),
    ])
  ).flat();
}

/** Pushes need no token, so nothing but this tells that they are wanted: without it an Expo that is away is a note. */
async function lookAtPushes({ EXPO_BASE_URL: base = 'https://exp.host', EXPO_ACCESS_TOKEN: token }: Config) {
  const found = await reach('Push: Expo', `${base}/--/api/v2/push/send`);
  if (token !== undefined) return found;
  return found.map(({ is, text }) =>
    is === 'fail' ? warn(`${text} EXPO_ACCESS_TOKEN is not set, so this matters only if phones get pushes.`) : ok(text),
  );
}

/** The keys of a provider are needed by those who may sign in with it. */
async function lookAtKeys(provider: string, audiences: string[] | undefined, url: string): Promise<Finding[]> {
  if (audiences !== undefined && audiences.length > 0) return reach(`Sign-in with ${provider}: its keys`, url, true);
  const setting = `${provider.toUpperCase()}_ALLOWED_AUDS`;
  return [ok(`Sign-in with ${provider}: switched off, because ${setting} is not set.`)];
}

async function lookAtMail({
  RESEND_API_KEY: key,
  RESEND_BASE_URL: resend,
  SMTP_URL: smtp,
}: Config): Promise<Finding[]> {
  if (key) return reach('Mail: Resend', `${resend}/emails`);
  if (!smtp) return [warn('Mail: nothing is sent; mails are kept for reading at /dev/mailbox.')];
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({ url: smtp, connectionTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS });
  try {
    await transport.verify();
    return [ok('Mail: the SMTP server takes our login.')];
  } catch (error) {
    return [fail(`Mail: the SMTP server was not reached, or refuses our login (${reasonOf(error)}).`)];
  } finally {
    transport.close();
  }
}

/** @param mustSucceed whether an answer that is no success counts as none */
async function reach(name: string, url: string, mustSucceed = false): Promise<Finding[]> {
  try {
    const { status } = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (status >= 500 || (mustSucceed && status >= 400)) return [fail(`${name} answered ${status}.`)];
    return [ok(`${name} can be reached.`)];
  } catch (error) {
    return [fail(`${name} cannot be reached (${reasonOf(error)}).`)];
  }
}

async function lookAtPictures({
  SUPABASE_URL: url,
  DATA_DIR: dataDir,
  BUCKET_NAME: bucket,
}: Config): Promise<Finding[]> {
  if (url) return reach('Pictures: Supabase Storage', `${url}/storage/v1/status`);
  const folder = pictureFolder(dataDir, bucket);
  const file = join(folder, '.doctor');
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(file, '');
    await rm(file);
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize < LEAST_FREE_BYTES) return [warn(`Pictures: less than 1 GiB is free in ${folder}.`)];
    return [ok(`Pictures: ${folder} can be written.`)];
  } catch (error) {
    return [fail(`Pictures: ${folder} cannot be written (${reasonOf(error)}).`)];
  }
}
