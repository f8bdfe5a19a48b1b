import { EMAIL_CHANGE_LINK, signLink } from '#identity/linkTokens.ts';
import { asMails, type Deliveries } from '#outbox/delivery.ts';
import type { Cache } from '#platform/cache.ts';
import { greeting } from '#platform/mail/letter.ts';
import type { Mailer } from '#platform/mail/mail.ts';
import type { Database } from '#platform/postgres/database.ts';
import type { PictureStorage } from '#platform/storage/storage.ts';
import type { Config } from '#src/config.ts';
import { EMAIL_CHANGE_MAIL, EMAIL_CHANGED_MAIL } from './profile.service.ts';
import { emailChangedMail, emailChangeMail } from './users.mail.ts';
import { FIND_ADDRESSEE, IS_PICTURE_USED } from './users.queries.ts';
import { FORGET_PAYLOADS, REMOVE_PICTURE, REMOVE_PICTURES } from './users.service.ts';

/**
 * Removals outside the database, of pictures and cached answers; retried until the store has confirmed them.
 * @param bucket first segment of the picture paths that accounts store
 */
export function removalDeliveries(db: Database, bucket: string, pictures: PictureStorage, cache: Cache): Deliveries {
  const removal = (field: string, remove: (value: string) => Promise<boolean>) => ({
    maxAttempts: Number.POSITIVE_INFINITY,
    deliver: async ({ payload }: { payload: Record<string, string> }) => {
      const value = payload[field];
      return value !== undefined && value !== '' && remove(value);
    },
  });
  return {
    [REMOVE_PICTURES]: removal('userId', async (userId) => {
      await pictures.removeAllOf(userId);
      return true;
    }),
    [REMOVE_PICTURE]: removal('key', async (key) => {
      const { used } = await db.asService((tx) => tx.one(IS_PICTURE_USED, [key.split('/')[0], `${bucket}/${key}`]));
      if (!used) await pictures.remove(key);
      return !used;
    }),
    [FORGET_PAYLOADS]: removal('userId', async (userId) => {
      await cache.forget(userId);
      return true;
    }),
  };
}

/** Mails about a new address: when one is sent, its receiver is looked up again and its token is made. */
export function emailChangeDeliveries({ secrets, PUBLIC_BASE_URL }: Config, db: Database, mailer: Mailer): Deliveries {
  return asMails({
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
  });
}
