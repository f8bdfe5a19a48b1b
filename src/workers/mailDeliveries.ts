import { signLink, VERIFICATION_LINK } from '#features/auth/auth.linkTokens.ts';
import { verificationMail } from '#features/auth/auth.mail.ts';
import { FIND_UNVERIFIED } from '#features/auth/auth.queries.ts';
import { VERIFICATION_MAIL } from '#features/auth/auth.service.ts';
import type { Mailer } from '#platform/mail/mail.ts';
import type { Database } from '#platform/postgres/database.ts';
import type { Config } from '#src/config.ts';
import type { Delivery } from './outboxWorker.ts';

/** How each kind of mail is made when its turn comes: looked up again, token minted now. */
export function mailDeliveries(config: Config, db: Database, mailer: Mailer): Record<string, Delivery> {
  return {
    [VERIFICATION_MAIL]: async ({ id, user_id: userId, payload }) => {
      const email = payload.email ?? '';
      const user = await db.asService((tx) => tx.maybe(FIND_UNVERIFIED, [userId, email]));
      if (!user) return false;
      const token = await signLink(config.secrets, VERIFICATION_LINK, { sub: userId ?? '', email });
      const link = `${config.PUBLIC_BASE_URL}/api/auth/verify?token=${token}`;
      await mailer.send(verificationMail({ to: email, greeting: user.name ?? user.username }, link), id);
      return true;
    },
  };
}
