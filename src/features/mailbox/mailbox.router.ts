import { Router } from 'express';
import { notFound } from '#platform/apiError.ts';
import { html } from '#platform/html.ts';
import type { Mailbox } from '#platform/mail/mailbox.ts';
import { page } from '#transport/page.ts';

/**
 * The development mailbox: `/dev/mailbox` for a person, `/dev/mailbox/json?to=` for a program.
 * Mounted only where mails are kept instead of sent.
 */
export function mailboxRouter(mailbox: Mailbox): Router {
  const router = Router();
  router.use('/dev/mailbox', (_req, res, next) => {
    res.set('Cache-Control', 'no-store'); // mails hold links that open accounts
    next();
  });
  router.get('/dev/mailbox', async (_req, res) => {
    const mails = await mailbox.list();
    const rows = mails.map(
      (mail) =>
        html`<tr><td><a href="/dev/mailbox/${mail.id}">${mail.subject}</a></td><td>${mail.to}</td><td>${mail.sentAt}</td></tr>`,
    );
    const list = html`<table><thead><tr><th>Subject</th><th>To</th><th>Sent (UTC)</th></tr></thead><tbody>${rows}</tbody></table>`;
    res.type('html').send(page('Mailbox', mails.length > 0 ? list : html`<p>No mail yet.</p>`));
  });
  router.get('/dev/mailbox/json', async (req, res) => {
    res.json(await mailbox.list(typeof req.query.to === 'string' ? req.query.to : undefined));
  });
  router.get('/dev/mailbox/:id', async (req, res) => {
    const mail = await mailbox.read(req.params.id);
    if (!mail) throw notFound('No such mail');
    res.type('html').send(mail.html);
  });
  return router;
}
