import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { vi } from 'vitest';
import type { Phone } from './person.ts';

interface Arrived {
  id: string;
  subject: string;
  msg: string;
  sent_at: string;
  is_read: boolean;
  sender_full_name: string;
  sender_profile_image_url: string | null;
}

export interface PhoneSocket {
  socket: Socket;
  /** What `new_message` brought, in order. */
  arrived: Arrived[];
  /** Error texts of refused handshakes. */
  refusals: string[];
  /** Waits until the socket is connected. @throws Error with the text of the first refusal */
  connected(): Promise<PhoneSocket>;
  /** Waits for the end of the connection. @returns the client's reason */
  ended(): Promise<string>;
  /** Waits until so many messages are there. */
  messages(atLeast: number): Promise<Arrived[]>;
}

/** A socket as the app opens it (behaviour 2.7). */
export function openSocket(
  url: string,
  auth: Record<string, unknown>,
  options: Partial<ManagerOptions & SocketOptions> = {},
): PhoneSocket {
  const socket = io(url, {
    path: '/socket.io',
    transports: ['websocket'],
    upgrade: false,
    reconnectionDelay: 50,
    reconnectionDelayMax: 200,
    timeout: 15_000,
    forceNew: true,
    auth,
    ...options,
  });
  const arrived: Arrived[] = [];
  const refusals: string[] = [];
  socket.on('connect', () => socket.emit('user_loggedin'));
  socket.on('new_message', (item: Arrived) => void arrived.push(item));
  socket.on('connect_error', (error) => void refusals.push(error.message));
  const phoneSocket: PhoneSocket = {
    socket,
    arrived,
    refusals,
    connected: async () => {
      await until(() => socket.connected || refusals.length > 0, 'the socket neither connected nor was refused');
      if (!socket.connected) throw new Error(refusals[0]);
      return phoneSocket;
    },
    ended: async () => {
      let reason = '';
      socket.once('disconnect', (why) => {
        reason = why;
      });
      await until(() => reason !== '', 'the socket did not end');
      return reason;
    },
    messages: async (atLeast) => {
      await until(() => arrived.length >= atLeast, `${arrived.length} of ${atLeast} messages arrived`);
      return arrived;
    },
  };
  return phoneSocket;
}

async function until(isTrue: () => boolean, otherwise: string): Promise<void> {
  await vi.waitUntil(isTrue, { timeout: 15_000, interval: 10 }).catch(() => Promise.reject(new Error(otherwise)));
}

/** The ticket that the app asks for once it knows the user name. */
export async function ticketOf(phone: Phone, accessToken: string): Promise<string> {
  const response = await phone.post('/api/ws/generateticket', accessToken, { username: phone.username });
  return ((await response.json()) as { ticket: string }).ticket;
}
