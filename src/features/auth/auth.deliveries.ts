import { passwordFingerprint, RESET_LINK, signLink, VERIFICATION_LINK } from '#identity/linkTokens.ts';
import { asMails, type Deliveries, type Delivery } from '#outbox/delivery.ts';
import { greeting } from '#platform/mail/letter.ts';
import type { Mailer } from '#platform/mail/mail.ts';
import type { Database } from '#platform/postgres/database.ts';
import type { Config } from '#src/config.ts';
import { passwordChangedMail, resetMail, verificationMail } from './auth.mail.ts';
import { FIND_ADDRESSEE, FIND_RESETTABLE, FIND_UNVERIFIED } from './auth.queries.ts';
import { PASSWORD_CHANGED_MAIL, RESET_MAIL, VERIFICATION_MAIL } from './auth.service.ts';

/** How each kind of mail is delivered: when it is sent, its receiver is looked up again and its token is made. */
export function authDeliveries(config: Config, db: Database, mailer: Mailer): Deliveries {
  const { secrets, PUBLIC_BASE_URL } = config;
  const resetUrl = config.PASSWORD_RESET_URL ?? `${PUBLIC_BASE_URL}/reset-password`;

  const mails: Record<string, Delivery> = {
    [VERIFICATION_MAIL]: async ({ id, user_id, payload }) => {
      const email = payload.email ?? '';
      const user = await db.asService((tx) => tx.maybe(FIND_UNVERIFIED, [user_id, email]));
      if (!user) return false;
      const claims = { sub: user_id ?? '', email, epoch: user.verification_epoch };
      const token = await signLink(secrets, VERIFICATION_LINK, claims);
      const link = `${PUBLIC_BASE_URL}/api/auth/verify?token=${token}`;
      await mailer.send(verificationMail({ to: email, greeting: greeting(user) }, link), id);
      return true;
    },

    [RESET_MAIL]: async ({ id, user_id }) => {
      const user = await db.asService((tx) => tx.maybe(FIND_RESETTABLE, [user_id]));
      if (!user) return false;
      const fingerprint = passwordFingerprint(user.password);
      const token = await signLink(secrets, RESET_LINK, { sub: user.id, email: user.email, fingerprint });
      const link = `${resetUrl}?token=${token}`;
      await mailer.send(resetMail({ to: user.email, greeting: greeting(user) }, link), id);
      return true;
    },

    [PASSWORD_CHANGED_MAIL]: async ({ id, user_id }) => {
      const user = await db.asService((tx) => tx.maybe(FIND_ADDRESSEE, [user_id]));
      if (!user?.email) return false;
      await mailer.send(passwordChangedMail({ to: user.email, greeting: greeting(user) }), id);
      return true;
    },
  };
  return asMails(mails);
}
