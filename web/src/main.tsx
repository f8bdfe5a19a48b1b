import { render } from 'preact';
import { App } from './app.tsx';
import { homeAddress } from './hooks.ts';
import { openSession } from './session/session.ts';
import './style.css';

const root = document.getElementById('app');

/** @returns what to do where the page cannot be shown; nothing where it is */
async function show(into: HTMLElement): Promise<string> {
  if (!isSecureContext) {
    const home = homeAddress();
    const isSafe = /^https:|^http:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/]/.test(home);
    const what = isSafe ? `Open ${home} instead.` : 'The operator of this server has to serve it by https.';
    return `Browsers keep the key that this page needs for https and for localhost only. ${what}`;
  }
  const session = await openSession().catch(() => undefined);
  if (!session) return 'This page keeps a key in the browser, which does not let it: allow storage for this site.';
  const { empty, mailbox } = into.dataset;
  into.textContent = '';
  render(<App session={session} isEmpty={empty === 'true'} hasMailbox={mailbox === 'true'} />, into);
  return '';
}

if (root) {
  const problem = await show(root).catch((error) => {
    console.error(error);
    return 'The page could not start. Load it again; if that does not help, update the browser or use another one.';
  });
  if (problem) root.textContent = problem;
}
