import { Router } from 'express';
import { html } from '#platform/html.ts';
import type { Deps } from '#transport/deps.ts';
import { page } from '#transport/page.ts';
import { isOpenResetLink } from './resetLink.service.ts';

/** Both states are on the page: a link can die while the person types. */
const form = (isOpen: boolean) =>
  page(
    isOpen ? 'Choose a new password' : 'Ask for another link',
    html`<form id="form" ${isOpen ? '' : 'hidden'}>
<label for="password">New password</label>
<input id="password" type="password" autocomplete="new-password" minlength="8" required aria-describedby="hint">
<p id="hint">At least 8 characters.</p>
<label class="inline"><input id="show" type="checkbox"> Show password</label>
<button id="send" type="submit">Save</button>
</form>
<p id="outcome" role="status" aria-live="polite"></p>
<div id="dead" ${isOpen ? 'hidden' : ''} role="alert">
<p>This link does not work any more: it was used, it is older than five minutes, or a part of it is missing.</p>
<p>Open the app, tap “Forgot password” and ask for another mail, or <a href="/app/forgot-password">ask for it on the page</a>. The link in it works once, for five minutes.</p>
</div>
<noscript><p>This page needs JavaScript to save your new password.</p></noscript>
<script src="/reset-password/page.js"></script>`,
  );

const OPEN = form(true);
const DEAD = form(false);
const DONE = page(
  'Your password is changed',
  html`<p>Every phone was signed out. Go back to the app and log in with the new password, or
<a href="/app">sign in on the page</a>.</p>
<p>You can close this page.</p>`,
);

/** The token stays in the address of this page, and is sent to this server only. */
const SCRIPT = `const element = (id) => document.getElementById(id);
const token = new URLSearchParams(location.search).get('token') ?? '';
const LINK_IS_DEAD = ['RESET_TOKEN_USED', 'RESET_TOKEN_INVALID'];

element('show').addEventListener('change', ({ target }) => {
  element('password').type = target.checked ? 'text' : 'password';
});

element('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const [send, outcome] = [element('send'), element('outcome')];
  send.disabled = true;
  outcome.textContent = 'Saving …';
  try {
    const response = await fetch('/api/auth/resetpassword?token=' + encodeURIComponent(token), {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ newPassword: element('password').value }),
    });
    // In place of this page: the token leaves the address and the history.
    if (response.ok) return location.replace('/reset-password/done');
    const { code, message } = await response.json();
    const isDead = LINK_IS_DEAD.includes(code);
    outcome.textContent = isDead ? '' : message;
    element('form').hidden = isDead;
    element('dead').hidden = !isDead;
  } catch {
    outcome.textContent = 'The server cannot be reached. Please try again.';
  }
  send.disabled = false;
});
`;

/** The page that a reset mail opens, its one script, and the page that it ends on. */
export function resetPageRouter(deps: Deps): Router {
  const router = Router();
  router.get('/reset-password', async (req, res) => {
    const isOpen = await isOpenResetLink(deps, req.query.token);
    res.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' });
    res.type('html').send(isOpen ? OPEN : DEAD);
  });
  router.get('/reset-password/done', (_req, res) => void res.type('html').send(DONE));
  router.get('/reset-password/page.js', (_req, res) => void res.type('js').send(SCRIPT));
  return router;
}
