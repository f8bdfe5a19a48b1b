import { type Html, html } from '#platform/html.ts';
import type { Mail } from '#platform/mail/mail.ts';

/** To whom: the address, and the name (else the username) to greet; escaped here. */
export interface Addressee {
  to: string;
  greeting: string;
}

interface Content {
  subject: string;
  /** Shown behind the subject in a list of mails. */
  preview: string;
  paragraphs: string[];
  action?: { label: string; link: string };
  closing: string;
}

/** The mail that proves an address (contract 4.11). */
export const verificationMail = (addressee: Addressee, link: string): Mail =>
  compose(addressee, {
    subject: 'Confirm your Strong Together account',
    preview: 'One tap and your account is ready.',
    paragraphs: ['Welcome to Strong Together! Please confirm that this address is yours.'],
    action: { label: 'Confirm my address', link },
    closing: 'The link works for one hour. If you did not sign up, you can ignore this mail.',
  });

export const resetMail = (addressee: Addressee, link: string): Mail =>
  compose(addressee, {
    subject: 'Reset your password',
    preview: 'Choose a new password within five minutes.',
    paragraphs: ['Somebody, probably you, asked for a new password for your account.'],
    action: { label: 'Choose a new password', link },
    closing: 'The link works once, for five minutes. If it was not you, ignore this mail: nothing has changed.',
  });

export const emailChangeMail = (addressee: Addressee, link: string): Mail =>
  compose(addressee, {
    subject: 'Confirm your Strong Together Email',
    preview: 'Confirm your new address within ten minutes.',
    paragraphs: ['Please confirm that this is the new address of your account.'],
    action: { label: 'Confirm my new address', link },
    closing: 'The link works for ten minutes. If you did not ask for this, you can ignore this mail.',
  });

export const emailChangedMail = (addressee: Addressee): Mail =>
  compose(addressee, {
    subject: 'Your Strong Together Email was changed',
    preview: 'Your account now has another address.',
    paragraphs: ['The address of your account was changed, and mails no longer go here.'],
    closing: 'If it was not you, answer this mail at once.',
  });

export const passwordChangedMail = (addressee: Addressee): Mail =>
  compose(addressee, {
    subject: 'Your Strong Together password was changed',
    preview: 'All phones were signed out.',
    paragraphs: ['The password of your account was changed, and every phone was signed out.'],
    closing: 'If it was not you, reset your password now and answer this mail.',
  });

/** Tables and inline styles, because mail clients know little else; and the same as plain text. */
function compose({ to, greeting }: Addressee, content: Content): Mail {
  const { subject, preview, paragraphs, action, closing } = content;
  const cell = (text: string | Html, size = 16) =>
    html`<tr><td style="padding:0 24px 16px;font-size:${size}px;line-height:1.5">${text}</td></tr>
`;
  const button = (label: string, link: string) =>
    html`<a href="${link}" style="display:inline-block;background:#1f6feb;color:#ffffff;padding:12px 20px;border-radius:8px;text-decoration:none">${label}</a>`;
  const rows = [
    ...paragraphs.map((text) => cell(text)),
    ...(action ? [cell(button(action.label, action.link))] : []),
    cell(closing, 14),
  ];
  return {
    to,
    subject,
    html: html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${subject}</title></head>
<body style="margin:0;padding:24px 0;background:#f5f7fa;font-family:Arial,sans-serif;color:#1c2430">
<div style="display:none;max-height:0;overflow:hidden">${preview}</div>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:480px;margin:0 auto;background:#ffffff;border-radius:12px">
<tr><td style="padding:32px 24px 16px;font-size:20px;font-weight:bold">Hi ${greeting},</td></tr>
${rows}</table>
</body>
</html>
`.markup,
    text: [`Hi ${greeting},`, ...paragraphs, ...(action ? [`${action.label}:\n${action.link}`] : []), closing, ''].join(
      '\n\n',
    ),
  };
}
