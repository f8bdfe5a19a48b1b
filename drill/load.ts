import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import sharp from 'sharp';
import { io } from 'socket.io-client';
import {
  exercisesIn,
  hoursAgo,
  keepTokens,
  type Phone,
  pictureForm,
  prepare,
  prepareRefresh,
  send,
  withToken,
  workoutOf,
  ZONE,
} from '../bench/helpers.ts';

/** What came of the requests of one step. */
export interface Tally {
  requests: number;
  /** By status, or by what happened to the connection. */
  failures: Map<string, number>;
  /** Longest time in which no write was acknowledged, in milliseconds. */
  longestGap: number;
}

/**
 * People who train, read and refresh, one who finishes workouts and hears of each over a socket, one who changes the
 * picture, and newcomers who register, until it is stopped.
 */
export function startLoad(url: string, [listener, vain, ...people]: [Phone, Phone, ...Phone[]]) {
  const agent = new Agent({ keepAlive: true });
  const acknowledged = { cardio: [] as string[], registrations: [] as string[], workouts: 0 };
  const heard = new Set<string>();
  let tally = emptyTally();
  let lastWrite = performance.now();
  let isOver = false;

  function note(status: number | string, isExpected: boolean): void {
    tally.requests++;
    if (!isExpected) tally.failures.set(String(status), (tally.failures.get(String(status)) ?? 0) + 1);
  }
  function wrote(): void {
    tally.longestGap = Math.max(tally.longestGap, performance.now() - lastWrite);
    lastWrite = performance.now();
  }

  async function train(phone: Phone): Promise<void> {
    let isRefused = false;
    for (let n = 1; !isOver; n++) {
      // A refresh whose answer was lost has ended the token before: the app refreshes after a 401.
      if (n % 20 === 0 || isRefused) {
        const answer = await send(agent, url, withToken(await prepareRefresh(url, phone), phone));
        note(answer.status, answer.status === 200);
        if (answer.status === 200) keepTokens(phone, answer);
      }
      const record = { type: 'Run', durationMins: Math.floor(n / 60), durationSec: n % 60 };
      const add = await prepare(url, phone, 'POST', '/api/aerobics/add', { record, tz: ZONE });
      const { status } = await send(agent, url, add);
      isRefused = status === 401;
      note(status, status === 201);
      if (status === 201) {
        acknowledged.cardio.push(`${phone.username} ${record.durationMins} ${record.durationSec}`);
        wrote();
      } else await pause(100); // as the app, which tries again when the person does
      const read = await send(agent, url, await prepare(url, phone, 'GET', `/api/bootstrap/get?tz=${ZONE}`));
      note(read.status, read.status === 200);
      await pause(20);
    }
  }

  async function register(): Promise<void> {
    for (let n = 0; !isOver; n++) {
      const username = `newcomer_${n}`;
      const body = JSON.stringify({ username, email: `${username}@example.com`, password: 'long enough' });
      const headers = { 'x-app-version': '4.5.0', 'content-type': 'application/json' };
      const { status } = await send(agent, url, { method: 'POST', path: '/api/users/create', headers, body });
      note(status, status === 201);
      if (status === 201) acknowledged.registrations.push(`${username}@example.com`);
      await pause(200);
    }
  }

  /** Tells of each finished workout; a socket that was cut off asks for a ticket and for what it missed. */
  function listen(phone: Phone) {
    const ticket = async () => {
      const asked = await send(
        agent,
        url,
        await prepare(url, phone, 'POST', '/api/ws/generateticket', { username: phone.username }),
      );
      return asked.status === 201 ? (JSON.parse(asked.body.toString()) as { ticket: string }) : {};
    };
    const socket = io(url, {
      transports: ['websocket'],
      upgrade: false,
      reconnectionDelay: 50,
      reconnectionDelayMax: 200,
      auth: (answer) => void ticket().then(answer),
    });
    socket.on('connect', () => socket.emit('user_loggedin'));
    socket.on('new_message', ({ id }: { id: string }) => void heard.add(id));
    // A refused handshake ends the attempts; the app opens a new socket then.
    socket.on('connect_error', () => void pause(200).then(() => socket.active || isOver || socket.connect()));
    return socket;
  }

  async function finish(phone: Phone): Promise<void> {
    const workoutData = { A: [1, 2, 3].map((id) => ({ id, sets: [10, 8, 6] })) };
    const saved = await send(agent, url, await prepare(url, phone, 'POST', '/api/workouts/add', { workoutData }));
    const [exercises = []] = exercisesIn(saved);
    for (let n = 1; !isOver; n++) {
      const body = workoutOf(exercises, hoursAgo(n));
      const { status } = await send(
        agent,
        url,
        await prepare(url, phone, 'POST', '/api/workouts/finishworkout', body, { 'idempotency-key': `workout ${n}` }),
      );
      note(status, status === 200);
      if (status === 200) acknowledged.workouts++;
      await pause(1_000); // a hundred a day are accepted with a key
    }
  }

  async function changePicture(phone: Phone): Promise<void> {
    const picture = await sharp({ create: { width: 60, height: 60, channels: 3, background: 'red' } })
      .jpeg()
      .toBuffer();
    const { body, headers } = pictureForm(picture);
    while (!isOver) {
      const { status } = await send(
        agent,
        url,
        await prepare(url, phone, 'PUT', '/api/users/setprofilepic', body, headers),
      );
      note(status === 503 ? 'picture 503' : status, status === 201);
      await pause(2_000); // as many as one person may
    }
  }

  const socket = listen(listener);
  const working = [...people.map(train), finish(listener), changePicture(vain), register()];
  return {
    acknowledged,
    heard,
    /** What came since it was asked last. */
    take: (): Tally => {
      wrote();
      const taken = tally;
      tally = emptyTally();
      return taken;
    },
    stop: async () => {
      isOver = true;
      await Promise.all(working);
      await pause(1_000); // for the last message
      socket.disconnect();
      agent.destroy();
    },
  };
}

const emptyTally = (): Tally => ({ requests: 0, failures: new Map(), longestGap: 0 });
