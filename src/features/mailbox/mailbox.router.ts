import { BlockList, isIP } from 'node:net';
import { type Request, type RequestHandler, Router } from 'express';
import { buildHostCheck } from '#identity/ownOrigins.ts';
import { forbidden, notFound } from '#platform/apiError.ts';
import { html } from '#platform/html.ts';
import type { Mailbox } from '#platform/mail/mailbox.ts';
import type { Config } from '#src/config.ts';
import { page } from '#transport/page.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/**
 * The development mailbox: `/dev/mailbox` for a person, `/dev/mailbox/json?to=` for a program. Mounted only where
 * mails are kept instead of sent.
 */
export function mailboxRouter(mailbox: Mailbox, config: Config): Router {
  const read = async (id: string) => {
    const mail = await mailbox.read(id);
    if (!mail) throw notFound('No such mail');
    return mail;
  };
  const router = Router();
  router.use('/dev/mailbox', guard(config));
  router.get('/dev/mailbox', async (_req, res) => {
    const mails = await mailbox.list();
    const items = mails.map(
      ({ id, subject, to, sentAt }) => html`<li><a href="/dev/mailbox/${id}">${subject}</a>
<p>${to}</p>
<p><time datetime="${sentAt}">${sentAt.slice(0, 19).replace('T', ' ')} UTC</time> · <a href="/dev/mailbox/${id}/text">as text</a></p></li>
`,
    );
    const list = html`<ul class="list">${items}</ul>`;
    res.type('html').send(page('Mailbox', mails.length > 0 ? list : html`<p>No mail yet.</p>`));
  });
  router.get('/dev/mailbox/json', async (req, res) => {
    res.json(await mailbox.list(typeof req.query.to === 'string' ? req.query.to : undefined));
  });
  router.get('/dev/mailbox/:id', async (req, res) => {
    res.type('html').send((await read(req.params.id)).html);
  });
  router.get('/dev/mailbox/:id/text', async (req, res) => {
    res.type('text').send((await read(req.params.id)).text);
  });
  return router;
}

/** Mails hold links that open accounts: they are not stored, and neither other machines nor other sites read them. */
function guard({ MAILBOX_PUBLIC: isPublic, PUBLIC_BASE_URL, proofOrigins }: Config): RequestHandler {
  const namesUs = buildHostCheck(proofOrigins);
  return (req, res, next) => {
    res.set('Cache-Control', 'no-store');
    res.removeHeader('Access-Control-Allow-Origin');
    if (!isPublic && !isFromHere(req)) {
      throw forbidden('The mailbox answers the machine that it runs on. Start with MAILBOX_PUBLIC=true to open it.');
    }
    if (!namesUs(req)) {
      throw forbidden(`The mailbox does not answer under this name. Open ${PUBLIC_BASE_URL}/dev/mailbox instead.`);
    }
    next();
  };
}

/** Both: a proxy on this machine connects for somebody else, and anybody can send X-Forwarded-For. */
function isFromHere({ socket, ip }: Request): boolean {
  return [socket.remoteAddress, ip].every((address = '') => {
    const version = isIP(address);
    // Whoever comes from the address that he came to is this machine, too, by its name in the network.
    return version !== 0 && (address === socket.localAddress || loopback.check(address, `ipv${version as 4 | 6}`));
  });
}
