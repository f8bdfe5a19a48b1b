import { html } from '#platform/html.ts';
import type { Mail } from '#platform/mail/mail.ts';

interface Greeted {
  to: string;
  /** Name, else username; escaped here. */
  greeting: string;
  link: string;
}

/** The mail that proves an address (contract 4.11). */
export function verificationMail({ to, greeting, link }: Greeted): Mail {
  return {
    to,
    subject: 'Confirm your Strong Together account',
    html: html`<!doctype html>
<html lang="en">
<body style="margin:0;padding:24px;background:#f5f7fa;font-family:Arial,sans-serif;color:#1c2430">
<div style="display:none">One tap and your account is ready.</div>
<table role="presentation" width="100%" style="max-width:480px;margin:0 auto;background:#ffffff;border-radius:12px"><tr>
<td style="padding:32px 24px">
<h1 style="font-size:20px;margin:0 0 16px">Hi ${greeting},</h1>
<p style="font-size:16px;line-height:1.5">welcome to Strong Together! Please confirm that this address is yours.</p>
<p style="margin:24px 0"><a href="${link}" style="background:#1f6feb;color:#ffffff;padding:12px 20px;border-radius:8px;text-decoration:none">Confirm my address</a></p>
<p style="font-size:14px;line-height:1.5">The link works for one hour. If you did not sign up, you can ignore this mail.</p>
</td></tr></table>
</body>
</html>`.markup,
    text: `Hi ${greeting},

welcome to Strong Together! Please confirm that this address is yours:
${link}

The link works for one hour. If you did not sign up, you can ignore this mail.
`,
  };
}
