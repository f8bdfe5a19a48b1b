import { html } from '#platform/html.ts';
import { page } from '#transport/page.ts';

export const verified = () =>
  page(
    "You're verified",
    html`<p>Your address is confirmed. Go back to the app and log in, or <a href="/app">sign in on the page</a>.</p>`,
  );

export const verificationFailed = (reason: string) =>
  page(
    'Verification Failed',
    html`<p>${reason}</p><p>Open the app and ask for a new verification mail. If your address is confirmed
already, <a href="/app">sign in on the page</a>.</p>`,
  );
