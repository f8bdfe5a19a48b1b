import { randomUUID } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { type FakeServer, sendJson, startFake } from './http.ts';

interface SentPush {
  to: string;
  title: string;
  body: string;
  sound: string;
}

export interface FakeExpo extends FakeServer {
  /** What was accepted, in order. */
  pushes: SentPush[];
  /** How many messages each request held. */
  requests: number[];
  authorizations: Array<string | undefined>;
  /** What the next requests are answered with, before any is accepted: a status, or no answer at all. */
  failures: Array<number | 'silence'>;
  /** Token → error of its ticket. */
  ticketErrors: Map<string, string>;
  /** Token → error of its receipt. */
  receiptErrors: Map<string, string>;
}

/** Expo's push service: tickets for messages, receipts for tickets. */
export async function startExpo(): Promise<FakeExpo> {
  const tokens = new Map<string, string>(); // by ticket
  const server = await startFake((req, body, res) => {
    const text = req.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    if (req.url === '/--/api/v2/push/getReceipts') {
      const { ids } = JSON.parse(text.toString()) as { ids: string[] };
      const known = ids.filter((id) => tokens.has(id));
      sendJson(res, 200, { data: Object.fromEntries(known.map((id) => [id, receipt(tokens.get(id) ?? '')])) });
      return;
    }
    fake.authorizations.push(req.headers.authorization);
    const failure = fake.failures.shift();
    if (failure === 'silence') return;
    if (failure) {
      sendJson(res, failure, { errors: [{ code: 'TEST', message: 'no' }] });
      return;
    }
    const sent = JSON.parse(text.toString()) as SentPush | SentPush[];
    const messages = Array.isArray(sent) ? sent : [sent];
    fake.requests.push(messages.length);
    if (messages.length > 100) {
      sendJson(res, 400, { errors: [{ code: 'PUSH_TOO_MANY_NOTIFICATIONS', message: 'too many' }] });
      return;
    }
    sendJson(res, 200, { data: messages.map(ticket) });
  });

  function ticket(message: SentPush) {
    const error = fake.ticketErrors.get(message.to);
    if (error) return { status: 'error', message: error, details: { error } };
    fake.pushes.push(message);
    const id = randomUUID();
    tokens.set(id, message.to);
    return { status: 'ok', id };
  }

  function receipt(token: string) {
    const error = fake.receiptErrors.get(token);
    return error ? { status: 'error', message: error, details: { error } } : { status: 'ok' };
  }

  const fake: FakeExpo = {
    ...server,
    pushes: [],
    requests: [],
    authorizations: [],
    failures: [],
    ticketErrors: new Map(),
    receiptErrors: new Map(),
  };
  return fake;
}
