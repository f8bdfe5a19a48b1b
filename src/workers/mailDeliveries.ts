import {
  emailChangedMail,
  emailChangeMail,
  passwordChangedMail,
  resetMail,
  verificationMail,
} from '#features/auth/auth.mail.ts';
import { FIND_RESETTABLE, FIND_UNVERIFIED } from '#features/auth/auth.queries.ts';
import { PASSWORD_CHANGED_MAIL, RESET_MAIL, VERIFICATION_MAIL } from '#features/auth/auth.service.ts';
import { EMAIL_CHANGE_MAIL, EMAIL_CHANGED_MAIL } from '#features/users/profile.service.ts';
import { FIND_ADDRESSEE } from '#features/users/users.queries.ts';
import { EMAIL_CHANGE_LINK, passwordFingerprint, RESET_LINK, signLink, VERIFICATION_LINK } from '#http/linkTokens.ts';
import type { Mailer } from '#platform/mail/mail.ts';
import type { Database } from '#platform/postgres/database.ts';
import type { Config } from '#src/config.ts';
import type { Deliveries, Delivery } from './delivery.ts';

const MAX_ATTEMPTS = 5;

/** How each kind of mail is made when its turn comes: looked up again, token minted now. */
export function mailDeliveries(config: Config, db: Database, mailer: Mailer): Deliveries {
  const { secrets, PUBLIC_BASE_URL } = config;
  const resetUrl = config.PASSWORD_RESET_URL ?? `${PUBLIC_BASE_URL}/reset-password`;
  const greeting = (user: { name: string | null; username: string }) => user.name ?? user.username;

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

    [EMAIL_CHANGE_MAIL]: async ({ id, user_id, payload }) => {
      const user = await db.asService((tx) => tx.maybe(FIND_ADDRESSEE, [user_id]));
      const newEmail = payload.newEmail ?? '';
      if (!user || user.pending_email !== newEmail) return false;
      const claims = { sub: user_id ?? '', newEmail, oldEmail: user.email };
      const token = await signLink(secrets, EMAIL_CHANGE_LINK, claims);
      const link = `${PUBLIC_BASE_URL}/api/users/changeemail?token=${token}`;
      await mailer.send(emailChangeMail({ to: newEmail, greeting: greeting(user) }, link), id);
      return true;
    },

    [EMAIL_CHANGED_MAIL]: async ({ id, user_id, payload }) => {
      const user = await db.asService((tx) => tx.maybe(FIND_ADDRESSEE, [user_id]));
      if (!user || !payload.to) return false;
      await mailer.send(emailChangedMail({ to: payload.to, greeting: greeting(user) }), id);
      return true;
    },

    [PASSWORD_CHANGED_MAIL]: async ({ id, user_id }) => {
      const user = await db.asService((tx) => tx.maybe(FIND_ADDRESSEE, [user_id]));
      if (!user?.email) return false;
      await mailer.send(passwordChangedMail({ to: user.email, greeting: greeting(user) }), id);
      return true;
    },
  };
  return Object.fromEntries(
    Object.entries(mails).map(([kind, deliver]) => [kind, { deliver, maxAttempts: MAX_ATTEMPTS, queue: 'emails' }]),
  );
}
