import { setTimeout as pause } from 'node:timers/promises';
import { Expo, type ExpoPushMessage, type ExpoPushTicket } from 'expo-server-sdk';
import { PermanentError, Throttled } from '#platform/deliveryErrors.ts';
import { traced } from '#platform/tracing.ts';
import { withTimeout } from '#platform/withTimeout.ts';
import { DeviceGone, type Pusher } from './pusher.ts';

/** Long, because Expo has no idempotency key: giving up early would send twice. */
const TIMEOUT_MS = 60_000;
/** How long a push waits for others to share its request. */
const GATHER_MS = 15;
const THROTTLED_MS = 5_000;
/** Ticket errors that are worth another attempt (behaviour 4.8). */
const PASSES = /rate|unavailable|timeout|internal|server/i;

interface Waiting {
  message: ExpoPushMessage;
  ticket: PromiseWithResolvers<string>;
}

/**
 * Push notifications through Expo's own client, which reads `EXPO_BASE_URL` from the environment.
 * @param accessToken for projects with enhanced push security
 */
export function expoPusher(accessToken: string | undefined): Pusher {
  const expo = new Expo({ ...(accessToken ? { accessToken } : {}), retryMinTimeout: 500 });
  let waiting: Waiting[] = [];

  async function flush(): Promise<void> {
    const gathered = waiting;
    waiting = [];
    for (let n = 0; n < gathered.length; n += Expo.pushNotificationChunkSizeLimit) {
      void deliver(gathered.slice(n, n + Expo.pushNotificationChunkSizeLimit));
    }
  }

  async function deliver(chunk: Waiting[]): Promise<void> {
    try {
      const messages = chunk.map(({ message }) => message);
      const tickets = await withTimeout(TIMEOUT_MS, 'Expo', expo.sendPushNotificationsAsync(messages));
      for (const [n, { ticket }] of chunk.entries()) settle(ticket, tickets[n]);
    } catch (error) {
      const status = (error as { statusCode?: number }).statusCode ?? 0;
      const isRefused = status >= 400 && status < 500 && status !== 429;
      if (isRefused && chunk.length > 1) {
        // One bad message makes Expo refuse the whole request; sent one by one, only that one fails.
        for (const single of chunk) await deliver([single]);
        return;
      }
      for (const { ticket } of chunk) ticket.reject(meaningOf(status, isRefused));
    }
  }

  return {
    async send({ to, title, body }) {
      if (!Expo.isExpoPushToken(to)) throw new PermanentError('not an Expo push token');
      const ticket = Promise.withResolvers<string>();
      waiting.push({ message: { to, sound: 'default', title, body }, ticket });
      if (waiting.length === 1) void pause(GATHER_MS).then(flush);
      return traced('Expo', { kind: 'CLIENT' }, () => ticket.promise);
    },

    async receipts(ticketIds) {
      const found = await withTimeout(TIMEOUT_MS, 'Expo', expo.getPushNotificationReceiptsAsync(ticketIds));
      return Object.entries(found).map(([ticketId, receipt]) => {
        const error = receipt.status === 'error' ? (receipt.details?.error ?? 'error') : null;
        return { ticketId, isDeviceGone: error === 'DeviceNotRegistered', error };
      });
    },
  };
}

function settle(ticket: PromiseWithResolvers<string>, answer: ExpoPushTicket | undefined): void {
  if (answer?.status === 'ok') {
    ticket.resolve(answer.id);
    return;
  }
  const reason = answer?.details?.error ?? 'error';
  if (reason === 'DeviceNotRegistered') ticket.reject(new DeviceGone(reason));
  else if (PASSES.test(`${reason} ${answer?.message ?? ''}`)) ticket.reject(new Error(`Expo: ${reason}`));
  else ticket.reject(new PermanentError(`Expo: ${reason}`));
}

function meaningOf(status: number, isRefused: boolean): Error {
  if (status === 429) return new Throttled('Expo answered 429', THROTTLED_MS);
  const text = status ? `Expo answered ${status}` : 'Expo was not reached';
  return isRefused ? new PermanentError(text) : new Error(text);
}
