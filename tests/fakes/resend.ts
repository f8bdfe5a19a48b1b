import { type FakeServer, sendJson, startFake } from './http.ts';

interface SentMail {
  from: string;
  to: string;
  subject: string;
  html: string;
  text: string;
}

export interface FakeResend extends FakeServer {
  /** What was accepted, by idempotency key. */
  sent: Map<string, SentMail>;
  attempts: number;
  /** Statuses that the next requests are answered with, before any is accepted. */
  failures: number[];
}

/** Resend's `POST /emails` with its idempotency keys. */
export async function startResend(): Promise<FakeResend> {
  const server = await startFake((req, body, res) => {
    fake.attempts++;
    const failure = fake.failures.shift();
    if (failure) return sendJson(res, failure, { statusCode: failure, name: 'application_error', message: 'no' });
    const key = String(req.headers['idempotency-key']);
    const mail = JSON.parse(body.toString()) as SentMail;
    const before = fake.sent.get(key);
    if (before && before.html !== mail.html) {
      return sendJson(res, 409, { statusCode: 409, name: 'invalid_idempotent_request', message: 'different' });
    }
    fake.sent.set(key, mail);
    return sendJson(res, 200, { id: key });
  });
  const fake: FakeResend = { ...server, sent: new Map(), attempts: 0, failures: [] };
  return fake;
}
