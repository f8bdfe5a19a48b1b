import { codeOf } from '#identity/signInCodes.ts';
import { asMails, type Deliveries } from '#outbox/delivery.ts';
import { greeting } from '#platform/mail/letter.ts';
import type { Mailer } from '#platform/mail/mail.ts';
import type { Database } from '#platform/postgres/database.ts';
import type { Config } from '#src/config.ts';
import { codeMail } from './sessions.mail.ts';
import { FIND_CODE_ADDRESSEE } from './sessions.queries.ts';
import { CODE_MAIL } from './sessions.service.ts';

/** The code is made when the mail is sent, the same in every attempt; a newer one takes its place. */
export const sessionDeliveries = ({ secrets }: Config, db: Database, mailer: Mailer): Deliveries =>
  asMails({
    [CODE_MAIL]: async ({ id, user_id, payload }) => {
      const nonce = payload.nonce ?? '';
      const user = await db.asService((tx) => tx.maybe(FIND_CODE_ADDRESSEE, [user_id, nonce]));
      if (!user) return false;
      await mailer.send(codeMail({ to: user.email, greeting: greeting(user) }, codeOf(secrets, nonce)), id);
      return true;
    },
  });
