import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

const found = (): string | undefined => process.env.CHROMIUM ?? PLACES.find((place) => existsSync(place));

/** Path of the browser for tests of the page. @throws Error that says how to get one */
export function findChromium(): string {
  const path = found();
  if (path === undefined) throw new Error('Tests of the page need Chromium: install it, or set CHROMIUM to its path.');
  return path;
}

/** Installs Debian's Chromium where there is none and that is possible. */
export async function installChromium(): Promise<void> {
  if (found() !== undefined || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  console.log('Chromium is missing; installing it with apt-get …');
  const apt = (...args: string[]) =>
    promisify(execFile)('apt-get', args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  try {
    await apt('update');
    await apt('install', '-y', '--no-install-recommends', 'chromium');
  } catch (error) {
    console.log(`Chromium could not be installed: ${error}`); // the tests that need it say so
  }
}
