import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const run = promisify(execFile);
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
/** A minute is enough for a slow mirror; the package is large. */
const INSTALL_MS = 240_000;

/** The browser of this machine, installed where Debian can. */
async function executable(): Promise<string> {
  const given = process.env.CHROMIUM;
  if (given) return given;
  const found = () => PLACES.find((place) => existsSync(place));
  if (found() === undefined && existsSync('/usr/bin/apt-get')) {
    console.log('Chromium is missing; installing it with apt-get …');
    const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, timeout: INSTALL_MS };
    await run('apt-get', ['update'], options).catch(() => undefined);
    await run('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], options).catch(() => undefined);
  }
  const path = found();
  if (path === undefined) throw new Error('Tests of the page need Chromium: install it, or set CHROMIUM to its path.');
  return path;
}

/** A headless browser without a network beyond this machine. */
export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: await executable(),
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-sync'],
  });
}

export interface Visit {
  context: BrowserContext;
  page: Page;
  /** What the browser complained about: errors of scripts, and what the policy refused. */
  complaints: string[];
}

/** A new profile with one tab. */
export async function visit(browser: Browser, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1000, height: 900 }, ...options });
  const complaints: string[] = [];
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('console', (message) => {
    // A refused answer, such as a 401, is logged by the browser as well; the page speaks of it itself.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text());
  });
  return { context, page: await context.newPage(), complaints };
}
