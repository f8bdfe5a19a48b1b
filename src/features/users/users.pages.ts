import { html } from '#platform/html.ts';
import { page } from '#transport/page.ts';

export const emailChanged = () =>
  page(
    'Email Changed Successfully',
    html`<p>Your new address is confirmed. Go back to the app, or <a href="/app">to the page</a>.</p>`,
  );

export const emailNotChanged = (reason: string) =>
  page('Email Not Changed', html`<p>${reason}</p><p>Ask for the change again in the app.</p>`);
