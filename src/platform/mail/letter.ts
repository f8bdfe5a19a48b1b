import { Html, html } from '#platform/html.ts';
import type { Mail } from './mail.ts';

/** The receiver of a mail: the address, and the name (else the username) to greet, which `compose` escapes. */
export interface Addressee {
  to: string;
  greeting: string;
}

export const greeting = (user: { name: string | null; username: string }): string => user.name ?? user.username;

interface Content {
  subject: string;
  /** Shown behind the subject in a list of mails. */
  preview: string;
  paragraphs: string[];
  action?: { label: string; link: string };
  closing: string;
}

/** Where the reader is dark; a client that knows no media queries shows the inline styles. */
const DARK = new Html(`:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .paper { background: #12161c !important; color: #e8edf3 !important; }
  .card { background: #1c232d !important; }
}`);

/** Makes a mail, as HTML and as plain text. Tables and inline styles, because mail clients support little else. */
export function compose({ to, greeting }: Addressee, content: Content): Mail {
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
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${subject}</title>
<style>${DARK}</style>
</head>
<body class="paper" style="margin:0;padding:24px 0;background:#f5f7fa;font-family:Arial,sans-serif;color:#1c2430">
<div style="display:none;max-height:0;overflow:hidden">${preview}</div>
<table class="card" role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:480px;margin:0 auto;background:#ffffff;border-radius:12px">
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
