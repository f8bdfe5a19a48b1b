// Fills an account with two years of training, to look at on the page: npm start in one terminal, npm run demo in another.
import { StrongTogetherClient } from '@strong-together/client';
import { demoYears } from './demoYears.ts';
import { openVerificationLink } from './mailbox.ts';
import { BASE_URL } from './serverUrl.ts';

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const PASSWORD = 'a strong password';

const client = new StrongTogetherClient({ baseUrl: BASE_URL });
const username = `demo_${Math.floor(Math.random() * 1e6)}`;
const email = `${username}@example.com`;
await client.call('POST', '/api/users/create', { body: { username, fullName: 'Demo', email, password: PASSWORD } });
await openVerificationLink(email);
await client.call('POST', '/api/v1/sessions', {
  body: { identifier: username, password: PASSWORD, name: 'npm run demo' },
});

const { items } = await client.call('GET', '/api/v1/exercises');
const years = demoYears(Date.now(), ZONE, new Set(items.map(({ name }) => name)));
const file = new Blob([JSON.stringify(years)], { type: 'application/json' });
const { id } = await client.call('POST', '/api/v1/imports', { body: { file, timeZone: ZONE } });
await client.call('POST', '/api/v1/imports/:id/commit', { params: { id } });
for (;;) {
  const { state, progress } = await client.call('GET', '/api/v1/imports/:id', { params: { id } });
  console.log(`${progress.done} of ${progress.total} workouts`);
  if (state === 'committed') break;
  await new Promise((done) => setTimeout(done, 500));
}
await client.logout();
console.log(`\nOpen ${BASE_URL}/app and sign in as ${username} with the password: ${PASSWORD}`);
