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
      reach('Push: Expo', new URL('/--/api/v2/push/send', config.EXPO_BASE_URL ?? 'https://exp.host').href),
      reach('Sign-in with Google: its keys', config.GOOGLE_JWKS_URL, true),
      reach('Sign-in with Apple: its keys', config.APPLE_JWKS_URL, true),
      lookAtPictures(config),
    ])
  ).flat();
}

async function lookAtMail({
  RESEND_API_KEY: key,
  RESEND_BASE_URL: resend,
  SMTP_URL: smtp,
}: Config): Promise<Finding[]> {
  if (key) return reach('Mail: Resend', new URL('/emails', resend).href);
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
