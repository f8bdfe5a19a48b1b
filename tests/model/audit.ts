import { setTimeout as pause } from 'node:timers/promises';
import { proven, send } from './call.ts';
import { type Move, tzQuery, ZONES } from './calls/builder.ts';
import type { Person } from './cast.ts';
import { show } from './difference.ts';
import { flushRedis } from './faults.ts';
import { FIRST_PHONE, type Play } from './play.ts';
import type { Stage } from './stage.ts';

const CACHED = ['/api/workouts/getworkout', '/api/workouts/gettracking', '/api/aerobics/get', '/api/analytics/get'];
const KEPT = ['profile', 'plan', 'tracking', 'cardioRead', 'analytics', 'inbox', 'bootstrap'];

/** What must hold when a story has ended and everything is well. */
export async function audit(play: Play, stage: Stage): Promise<void> {
  await Promise.all(
    play.people.map(async (person) => {
      await readEverything(play, person);
      await compareWithUncached(play, stage, person);
    }),
  );
  await drain(play, stage);
  for (const person of play.people) await compareRows(play, stage, person);
  await checkMails(play, stage);
  checkPushes(play, stage);
  if (!play.wasBroken) await checkPictures(play, stage);
  if ((await stage.readStatue()) !== stage.statue.everything) play.fail('somebody changed what is none of theirs');
}

/** Signs in if need be, and reads everything on both instances and in two zones: the model judges it. */
async function readEverything(play: Play, person: Person): Promise<void> {
  const act = (does: string, choice: Partial<Move> = {}) => play.act(person, { ...FIRST_PHONE, does, ...choice });
  for (let tries = 0; tries < 4 && !person.phones[0].access; tries++) {
    if (!person.worlds.some(({ account }) => account?.isVerified)) return;
    await act('profile');
  }
  // A token that died since is found out, and replaced.
  for (let tries = 0; tries < 4; tries++) await act('profile', { c: 0 });
  if (!person.phones[0].access) return;
  for (const instance of [0, 1] as const) {
    for (const [a] of ZONES.entries()) {
      for (const does of KEPT) await act(does, { instance, a });
    }
  }
  // Now everything is cached; each kind of write on one instance is seen on the other.
  for (const [n, writes] of ['finish', 'addCardio', 'savePlan'].entries()) {
    await act(writes, { a: n });
    for (const [a] of ZONES.entries()) await act('bootstrap', { instance: 1, a });
    await act('analytics', { instance: 1 });
  }
}

/** What the cache answers is what an instance without one computes. */
async function compareWithUncached(play: Play, stage: Stage, person: Person): Promise<void> {
  const { key, access } = person.phones[0];
  if (!access) return;
  const read = async (url: string, path: string) => {
    const request = { method: 'GET', path };
    const answer = await send(url, { ...request, headers: proven(stage.publicUrl, key, request, access) });
    if (typeof answer === 'string' || answer.status !== 200) play.fail(`${path} → ${show(answer)}`);
    return JSON.stringify(answer.body);
  };
  for (const path of CACHED.flatMap((base) => ZONES.map((zone) => base + tzQuery(zone)))) {
    const computed = await read(stage.uncachedUrl, path);
    for (const url of stage.instances) {
      const cached = await read(url, path);
      if (cached !== computed) {
        play.fail(`${path} of ${person.firstName}: the cache has ${cached}\nand the database ${computed}`);
      }
    }
  }
}

/** Until nothing waits that is due. What a dead worker or an emptied Redis holds up is not waited for: time passes. */
async function drain(play: Play, stage: Stage): Promise<void> {
  stage.resend.failures.length = 0;
  stage.expo.failures.length = 0;
  for (let tries = 1; tries <= 300; tries++) {
    const waiting = await stage.sql<{ kind: string }>(
      "select kind from outbox where status = 'pending' and (kind <> 'push.reminder' or next_attempt_at <= now())",
    );
    if (waiting.length === 0) return;
    if (tries % 30 === 15) {
      await flushRedis(stage, Promise.resolve());
      await stage.sql("update outbox set next_attempt_at = now() where status = 'pending' and kind <> 'push.reminder'");
    }
    await pause(100);
  }
  const left = await stage.sql('select kind, attempts, last_error from outbox where status = $1', ['pending']);
  play.fail(`the outbox did not drain: ${JSON.stringify(left)}`);
}

interface Stored {
  id: string;
  push_token: string | null;
  zone: string;
  mails: Record<string, number>;
  token_version: number;
  session_epoch: number;
  summaries: number;
  sets: number;
}

/** What no endpoint shows: accounts, zones, push tokens, promised mails, and how many rows there are. */
async function compareRows(play: Play, stage: Stage, person: Person): Promise<void> {
  const rows = await stage.sql<Stored>(
    `select
       u.id, u.push_token, urs.timezone as zone, u.token_version::int, u.session_epoch::int,
       (select count(*)::int from workout_summary ws where ws.user_id = u.id) as summaries,
       (select count(*)::int from exercisetracking et join workout_summary ws on ws.id = et.workout_summary_id
        where ws.user_id = u.id) as sets,
       (select coalesce(jsonb_object_agg(m.kind, m.n), '{}')
        from (select o.kind, count(*) as n from outbox o where o.user_id = u.id and o.kind like 'mail.%' group by 1) m
       ) as mails
     from users u
     join user_reminder_settings urs on urs.user_id = u.id
     where u.id = any ($1) or lower(u.username) = any ($2) or lower(u.email) = any ($3)`,
    [[...person.ids], person.usernames, person.addresses],
  );
  if (rows.length > 1) play.fail(`${person.firstName} has ${rows.length} accounts`);
  const [stored] = rows;
  const wrong = new Set<string>();
  person.worlds = person.worlds.filter(({ account }) => {
    if (!account || !stored) {
      if (!account === !stored) return true;
      wrong.add(`an account ${stored ? 'is' : 'is not'} there`);
      return false;
    }
    const sorted = (mails: Record<string, number>) => Object.entries(mails).toSorted();
    const expected = [
      ['push token', account.pushToken, stored.push_token],
      ['zone', account.zone, stored.zone],
      ['token version', account.tokenVersion, stored.token_version],
      ['session epoch', account.sessionEpoch, stored.session_epoch],
      ['workouts', account.workouts.length, stored.summaries],
      ['rows of sets', account.workouts.reduce((all, { entries }) => all + entries.length, 0), stored.sets],
      ['mails', sorted(account.mails), sorted(stored.mails)],
    ] as const;
    const different = expected.find(([, model, there]) => JSON.stringify(model) !== JSON.stringify(there));
    if (different) wrong.add(`${different[0]}: ${show(different[2])} instead of ${show(different[1])}`);
    return !different;
  });
  if (person.worlds.length === 0) play.fail(`the rows of ${person.firstName} cannot be: ${[...wrong].join('; ')}`);
  const [world, ...others] = person.worlds;
  const picture = others.length === 0 ? world?.account?.picture : undefined;
  if (picture && !stage.supabase.objects.has(picture))
    play.fail(`the picture of ${person.firstName} is gone: ${picture}`);
}

/** Kinds that may be no longer wanted when their turn comes. */
const MAY_BE_DROPPED = ['mail.verification', 'mail.email-change', 'mail.reset'];

/** Every promised mail was taken by the provider, once, and went to an address of its person. */
async function checkMails(play: Play, stage: Stage): Promise<void> {
  const ids = play.people.flatMap((person) => [...person.ids]);
  const promised = await stage.sql<{ id: string; user_id: string; kind: string; status: string; last_error: string }>(
    "select id, user_id, kind, status, last_error from outbox where kind like 'mail.%' and user_id = any ($1)",
    [ids],
  );
  for (const { id, user_id, kind, status, last_error } of promised) {
    const mail = stage.resend.sent.get(id);
    const person = play.people.find((one) => one.ids.has(user_id));
    if (status === 'sent' && !mail) play.fail(`a ${kind} counts as sent, and was not`);
    if (status === 'failed' || (status === 'dropped' && !MAY_BE_DROPPED.includes(kind))) {
      play.fail(`a ${kind} of ${person?.firstName} is ${status}: ${last_error}`);
    }
    if (mail && !person?.addresses.includes(mail.to)) play.fail(`a ${kind} of ${person?.firstName} went to ${mail.to}`);
  }
}

/** A phone greets its own person. */
function checkPushes(play: Play, stage: Stage): void {
  for (const { to, title } of stage.expo.pushes) {
    const owner = play.people.find(({ pushTokens }) => pushTokens.slice(0, 2).includes(to));
    const named = play.people.find(({ firstName, usernames }) =>
      [firstName, ...usernames].some((name) => title.toLowerCase() === `hello, ${name.toLowerCase()}!`),
    );
    if (owner && named && owner !== named) play.fail(`the phone of ${owner.firstName} says "${title}"`);
  }
}

/** Where nothing broke, the storage holds the pictures that are recorded, and no other. */
async function checkPictures(play: Play, stage: Stage): Promise<void> {
  const ids = play.people.flatMap((person) => [...person.ids]);
  const recorded = await stage.sql<{ path: string }>(
    'select profile_image_url as path from users where id = any ($1) and profile_image_url is not null',
    [ids],
  );
  const kept = [...stage.supabase.objects.keys()].filter((path) => ids.some((id) => path.includes(id)));
  const left = kept.filter((path) => !recorded.some((row) => row.path === path));
  if (left.length > 0) play.fail(`pictures that nothing points to: ${left.join(', ')}`);
}
