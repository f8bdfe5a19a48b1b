import { Resend } from 'resend';
import { PermanentError, Throttled } from '#platform/deliveryErrors.ts';
import { traced } from '#platform/tracing.ts';
import { withTimeout } from '#platform/withTimeout.ts';

export interface Mail {
  to: string;
  subject: string;
  html: string;
  text: string;
}

/** Hands a mail to a provider. The same key twice is one mail. @throws PermanentError, Throttled */
export interface Mailer {
  send(mail: Mail, idempotencyKey: string): Promise<void>;
}

const TIMEOUT_MS = 10_000;

export interface ResendOptions {
  apiKey: string;
  baseUrl: string;
  from: string;
}

/** Mail through Resend. Client errors other than 429 are final; everything else may be tried again. */
export function resendMailer({ apiKey, baseUrl, from }: ResendOptions): Mailer {
  const resend = new Resend(apiKey, { baseUrl });
  return {
    send: (mail, idempotencyKey) =>
      traced('Resend', { kind: 'CLIENT' }, async () => {
        const sent = resend.emails.send({ from, ...mail }, { idempotencyKey });
        const { error, headers } = await withTimeout(TIMEOUT_MS, 'Resend', sent);
        if (!error) return;
        // An earlier attempt was accepted and only its answer was lost: this one differs, because its link is a new one.
        if (error.name === 'invalid_idempotent_request') return;
        if (error.name === 'concurrent_idempotent_requests') throw new Error('an earlier attempt is still running');
        const status = error.statusCode ?? STATUS_OF_NAME[error.name] ?? 422;
        if (status === 429) throw new Throttled('Resend answered 429', secondsIn(headers?.['retry-after']) * 1000);
        if (status >= 400 && status < 500) throw new PermanentError(`Resend answered ${status}`);
        throw new Error(`Resend answered ${status}`);
      }),
  };
}

/** Errors without a status that are worth another attempt; every other name means that the mail is wrong. */
const STATUS_OF_NAME: Record<string, number> = {
  application_error: 500,
  internal_server_error: 500,
  rate_limit_exceeded: 429,
};

const secondsIn = (retryAfter: string | undefined): number => Math.min(60, Math.max(1, Number(retryAfter) || 1));

/**
 * Mail through an SMTP server, for people who host their own. SMTP knows no idempotency key: the key is the
 * Message-ID, by which many servers and mailboxes drop a repetition.
 * @param url such as `smtps://user:password@mail.example.com`
 */
export async function smtpMailer(url: string, from: string): Promise<Mailer> {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({ url, pool: true, connectionTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS });
  const host = /@([^>\s]+)/.exec(from)?.[1] ?? 'localhost';
  return {
    async send(mail, idempotencyKey) {
      try {
        const messageId = `<${idempotencyKey}@${host}>`;
        await traced('SMTP', { kind: 'CLIENT' }, () => transport.sendMail({ from, ...mail, messageId }));
      } catch (error) {
        const { responseCode = 0 } = error as { responseCode?: number };
        // 5yz is permanent (RFC 5321, section 4.2.1). The server's text is not used, because it may name the address.
        if (responseCode >= 500) throw new PermanentError(`the mail server answered ${responseCode}`);
        throw new Error(responseCode ? `the mail server answered ${responseCode}` : 'the mail server was not reached');
      }
    },
  };
}
