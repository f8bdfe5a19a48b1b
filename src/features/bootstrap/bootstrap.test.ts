import { expect } from 'vitest';
import { newPhone, type Phone } from '#tests/helpers/person.ts';
import { type TestServer, withServer } from '#tests/helpers/server.ts';

const it = withServer()
  .extend('phone', ({ server }) => newPhone(server))
  .extend('token', async ({ phone }) => (await phone.tokens()).accessToken);

const SINGLES = {
  user: '/api/users/get',
  workout: '/api/workouts/getworkout',
  tracking: '/api/workouts/gettracking',
  aerobics: '/api/aerobics/get',
  messages: '/api/messages/getmessages',
};
const zoneOf = async (server: TestServer, phone: Phone) =>
  (await server.sql('select timezone from user_reminder_settings where user_id = $1', [phone.id]))[0]?.timezone;

it('equals the single endpoints byte for byte, empty and full (behaviour 34)', async ({ phone, token }) => {
  const compare = async () => {
    const response = await phone.get('/api/bootstrap/get?tz=America/New_York', token);
    expect([response.status, response.headers.get('x-cache')]).toEqual([200, null]);
    const parts: string[] = [];
    for (const [name, path] of Object.entries(SINGLES)) {
      const single = await phone.get(`${path}?tz=America%2FNew_York`, token);
      parts.push(`"${name}":${await single.text()}`);
    }
    expect(await response.text()).toBe(`{${parts.join(',')}}`);
  };
  await compare();
  const plan = (await (
    await phone.post('/api/workouts/add', token, { workoutData: { A: [{ id: 1, sets: [5] }] } })
  ).json()) as { workoutPlan: { workoutsplits: Array<{ exercisetoworkoutsplit: Array<{ id: number }> }> } };
  const id = plan.workoutPlan.workoutsplits[0]?.exercisetoworkoutsplit[0]?.id;
  await phone.post('/api/workouts/finishworkout', token, {
    workout: [{ exercisetosplit_id: id, weight: [20.1], reps: [5] }],
  });
  await phone.post('/api/aerobics/add', token, { record: { type: 'Walk', durationMins: 5 } });
  await compare();
});

it('stores the zone, repaired, and nothing for an unknown one (IN3)', async ({ server, phone, token }) => {
  expect((await phone.get('/api/bootstrap/get?tz=Etc/GMT+2', token)).status).toBe(200);
  expect(await zoneOf(server, phone)).toBe('Etc/GMT+2');
  expect((await phone.get('/api/bootstrap/get', token)).status).toBe(200);
  expect((await phone.get('/api/bootstrap/get?tz=Mars/Base', token)).status).toBe(400);
  expect(await zoneOf(server, phone)).toBe('Etc/GMT+2');
});

it('a part that fails is left out, the others are delivered, the zone is stored (CA5)', async ({
  server,
  phone,
  token,
}) => {
  await server.sql('revoke select on aerobictracking from authenticated');
  try {
    const response = await phone.get('/api/bootstrap/get?tz=Asia/Jerusalem', token);
    expect(response.status).toBe(200);
    expect(Object.keys((await response.json()) as object)).toEqual(['user', 'workout', 'tracking', 'messages']);
    expect(await zoneOf(server, phone)).toBe('Asia/Jerusalem');
  } finally {
    await server.sql('grant select on aerobictracking to authenticated');
  }
});
