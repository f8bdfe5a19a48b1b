import { Router } from 'express';
import { html } from '#platform/html.ts';
import { page } from '#transport/page.ts';

const PAGE = page(
  'Choose a new password',
  html`<form id="form">
<label for="password">New password</label>
<input id="password" type="password" autocomplete="new-password" minlength="8" required aria-describedby="hint">
<p id="hint">At least 8 characters.</p>
<button id="send" type="submit">Save</button>
</form>
<p id="outcome" role="status" aria-live="polite"></p>
<noscript><p>This page needs JavaScript to save your new password.</p></noscript>
<script src="/reset-password/page.js"></script>`,
);

/** The token stays in the address of this page, and is sent to this server only. */
const SCRIPT = `const form = document.getElementById('form');
const outcome = document.getElementById('outcome');
const token = new URLSearchParams(location.search).get('token') ?? '';

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const send = document.getElementById('send');
  send.disabled = true;
  outcome.textContent = 'Saving …';
  try {
    const response = await fetch('/api/auth/resetpassword?token=' + encodeURIComponent(token), {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ newPassword: document.getElementById('password').value }),
    });
    const answer = await response.json();
    outcome.textContent = response.ok
      ? 'Your password was changed. Go back to the app and log in.'
      : answer.message;
    form.hidden = response.ok;
  } catch {
    outcome.textContent = 'The server cannot be reached. Please try again.';
  }
  send.disabled = false;
});
`;

/** The page that a reset mail opens, and its one script. */
export function resetPageRouter(): Router {
  const router = Router();
  router.get('/reset-password', (_req, res) => {
    res.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' }).type('html').send(PAGE);
  });
  router.get('/reset-password/page.js', (_req, res) => void res.type('js').send(SCRIPT));
  return router;
}
