import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { newPhone, type Phone } from './person.ts';
import { makeProof } from './proof.ts';
import type { TestServer } from './server.ts';

/** Somebody with a plan who uses phone and logbook. */
export interface Person {
  phone: Phone;
  /** The token that its requests carry, for requests to another instance. */
  accessToken: string;
  /** A request to the logbook, as a program makes it: without the app's headers. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  /** The same with a form. */
  send(method: string, path: string, form: FormData): Promise<Response>;
  /** Ids of squat and bench in the one split of the plan. */
  split: number;
  planned: number[];
  app(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<unknown>;
}

export async function signedIn(server: TestServer): Promise<Person> {
  const phone = await newPhone(server);
  const { accessToken } = await phone.tokens();
  const call: Person['call'] = (method, path, body, headers = {}) =>
    fetch(`${server.url}/api/v1${path}`, {
      method,
      headers: {
        'user-agent': 'curl/8',
        authorization: `DPoP ${accessToken}`,
        dpop: makeProof(phone.key, `${method} ${server.url}/api/v1${path}`, { accessToken }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  const send: Person['send'] = (method, path, form) =>
    fetch(`${server.url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `DPoP ${accessToken}`,
        dpop: makeProof(phone.key, `${method} ${server.url}/api/v1${path}`, { accessToken }),
      },
      body: form,
    });
  const app: Person['app'] = async (method, path, body) => {
    const answer = await (method === 'GET'
      ? phone.get(path, accessToken)
      : phone.send(method, path, accessToken, body));
    expect([path, answer.status]).toEqual([path, 200]);
    return answer.json();
  };
  const workoutData = { A: [1, 2].map((id) => ({ id, sets: [5, 5] })) };
  const { workoutPlan } = (await app('POST', '/api/workouts/add', { workoutData })) as {
    workoutPlan: { workoutsplits: Array<{ id: number; exercisetoworkoutsplit: Array<{ id: number }> }> };
  };
  const [split] = workoutPlan.workoutsplits;
  return {
    phone,
    accessToken,
    call,
    send,
    app,
    split: split?.id ?? 0,
    planned: split?.exercisetoworkoutsplit.map(({ id }) => id) ?? [],
  };
}

export const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
export const set = (weight: number | null, reps: number | null, more: object = {}) => ({
  weight,
  unit: weight === null ? null : 'kg',
  reps,
  ...more,
});
export const block = (exerciseId: number, ...sets: object[]) => ({ id: randomUUID(), exerciseId, sets });
/** A finished workout of yesterday, with one exercise. */
export const workout = (more: object = {}) => ({
  title: 'Push',
  startedAt: hoursAgo(26),
  endedAt: hoursAgo(25),
  timeZone: 'Europe/Berlin',
  blocks: [block(1, set(100, 5), set(102.5, 3))],
  ...more,
});
