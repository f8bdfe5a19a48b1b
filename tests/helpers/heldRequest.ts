import { request } from 'node:http';

export interface HeldAnswer {
  status: number;
  /** As it came: JSON, HTML or nothing. */
  text: string;
}

/** A request whose body the phone keeps back. */
export interface HeldRequest {
  /** What the server says, whenever it says it. */
  answer: Promise<HeldAnswer>;
  /** Sends the first half of the body. */
  sendHalf(): void;
  /** Sends what is left of the body and waits for the answer. */
  release(): Promise<HeldAnswer>;
}

/**
 * Sends the head of a request on a connection of its own and keeps the body back.
 * @param body at least one byte; its length is promised in the head
 */
export function holdRequest(
  url: string,
  { method, headers, body }: { method: string; headers: Record<string, string>; body: Buffer },
): HeldRequest {
  const { promise: answer, resolve, reject } = Promise.withResolvers<HeldAnswer>();
  const sending = request(url, {
    method,
    agent: false,
    headers: { 'x-app-version': '4.5.0', ...headers, 'content-length': body.length },
  });
  sending.on('error', reject).on('response', async (response) => {
    try {
      const chunks = await response.toArray();
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
    } catch (error) {
      reject(error);
    }
  });
  answer.catch(() => undefined); // whoever waits for it hears of a failure
  sending.flushHeaders();
  let rest = body;
  return {
    answer,
    sendHalf: () => {
      const half = rest.subarray(0, Math.ceil(rest.length / 2));
      rest = rest.subarray(half.length);
      sending.write(half);
    },
    release: () => {
      sending.end(rest);
      return answer;
    },
  };
}
