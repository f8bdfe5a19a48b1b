import { Resend } from 'resend';

export interface Mail {
  to: string;
  subject: string;
  html: string;
  text: string;
}

/** The provider will never take this mail; another attempt is pointless. */
export class MailRefused extends Error {}

/** Hands a mail to whoever delivers it. The same key twice is one mail. */
export interface Mailer {
  send(mail: Mail, idempotencyKey: string): Promise<void>;
}

export interface ResendOptions {
  apiKey: string;
  baseUrl: string;
  from: string;
}

const TIMEOUT_MS = 10_000;

/** Mail through Resend. Client errors other than 429 are final (MailRefused); everything else may be tried again. */
export function resendMailer({ apiKey, baseUrl, from }: ResendOptions): Mailer {
  const resend = new Resend(apiKey, { baseUrl });
  return {
    async send(mail, idempotencyKey) {
      const { error } = await within(TIMEOUT_MS, resend.emails.send({ from, ...mail }, { idempotencyKey }));
      if (!error) return;
      // An earlier attempt got through and only its answer was lost: the link in this one differs.
      if (error.name === 'invalid_idempotent_request') return;
      if (error.name === 'concurrent_idempotent_requests') throw new Error('an earlier attempt is still running');
      const status = error.statusCode ?? 0;
      if (status >= 400 && status < 500 && status !== 429) throw new MailRefused(`Resend answered ${status}`);
      throw new Error(`Resend answered ${status || error.name}`);
    },
  };
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('the mail provider did not answer in time')), milliseconds);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
