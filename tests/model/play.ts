import { setTimeout as pause } from 'node:timers/promises';
import type { Answer, Call, Outcome, Told } from './call.ts';
import type { Move } from './calls/builder.ts';
import { build } from './calls/deeds.ts';
import { type Beginning, hashOf, makeCast, type Person } from './cast.ts';
import { difference, isObject, show } from './difference.ts';
import { FAULTS, type FaultName } from './faults.ts';
import type { Stage } from './stage.ts';
import { copyOf, letIn, type Span, type World } from './world.ts';

export interface Round {
  /** At the same time; several of one person, too. */
  moves: Move[];
  fault: { name: FaultName; afterMs: number; lasts: number } | null;
}

export interface Story {
  beginnings: Beginning[];
  rounds: Round[];
}

/** What somebody did, and what came of it. */
export interface Done {
  person: Person;
  call: Call;
  answer: Answer;
  at: Span;
}

let most = 1;

/** How many possibilities there were at most for one person: what a lost answer costs. */
export const mostWorlds = (): number => most;

/** What one person does at the same time: all its orders are looked at. */
const MOST_AT_ONCE = 3;

/** A move that chooses nothing. */
export const FIRST_PHONE: Move = {
  who: 0,
  does: '',
  a: 0,
  b: 0,
  c: 0,
  phone: 0,
  instance: 0,
  isLost: false,
  patienceMs: null,
};

interface Healing {
  name: FaultName;
  until: number;
  heal(): void;
  healed: Promise<void>;
}

/** Plays a story and holds every answer against the model. */
export class Play {
  readonly people: Person[];
  readonly trace: string[] = [];
  wasBroken = false;
  readonly #stage: Stage;
  #broken: Healing[] = [];

  constructor(stage: Stage, beginnings: Beginning[]) {
    this.#stage = stage;
    this.people = makeCast(beginnings);
  }

  /**
   * People who are there from the beginning are put into the database: they need not wait for mail and bcrypt. Those
   * who are verified sign in and make a plan.
   */
  async begin(): Promise<void> {
    for (const person of this.people) {
      const account = person.worlds[0]?.account;
      if (!account) continue;
      const { username, email, name, isVerified } = account;
      const [row] = await this.#stage.sql<{ id: string }>(
        'insert into users (username, email, name, password, is_verified) values ($1, $2, $3, $4, $5) returning id',
        [username, email, name, hashOf(person), isVerified],
      );
      account.id = row?.id ?? '';
    }
    const members = this.people.filter(({ worlds }) => worlds[0]?.account?.isVerified);
    for (const does of ['login', 'savePlan']) {
      await Promise.all(members.map((person, a) => this.act(person, { ...FIRST_PHONE, does, a })));
    }
  }

  /** One person does one thing. */
  async act(person: Person, move: Move): Promise<void> {
    const account = person.worlds[0]?.account ?? null;
    const call = await build({ person, phone: person.phones[move.phone], account, stage: this.#stage, move });
    if (call) this.judge([await this.perform(person, call, move)]);
  }

  async round(n: number, { moves, fault }: Round): Promise<void> {
    await this.#healUntil(n);
    if (fault) this.#break(n, fault);
    const calls: Array<{ person: Person; call: Call; move: Move }> = [];
    for (const move of moves) {
      const person = this.people[move.who % this.people.length];
      const phone = person?.phones[move.phone];
      const beside = calls.filter((other) => other.person === person);
      if (!person || !phone || beside.length >= MOST_AT_ONCE || beside.some(({ call }) => call.isAlone)) continue;
      const account = person.worlds[0]?.account ?? null;
      const call = await build({ person, phone, account, stage: this.#stage, move });
      if (call && !(call.isAlone && beside.length > 0)) calls.push({ person, call, move });
    }
    const done = await Promise.all(calls.map(({ person, call, move }) => this.perform(person, call, move)));
    await this.#stage.untilDead();
    if (calls.some(({ move }) => move.patienceMs !== null)) await this.#stage.untilQuiet();
    // What was lost may have happened at any time until now.
    const now = Date.now() + 1;
    this.judge(done.map((one): Done => (one.answer === 'lost' ? { ...one, at: [one.at[0], now] } : one)));
  }

  /** Sends a request to an instance, or to the other one if that is down. */
  async perform(person: Person, call: Call, { instance, isLost, patienceMs }: Move): Promise<Done> {
    const from = Date.now();
    const line = this.trace.push('') - 1;
    const tell = (what: string) => {
      this.trace[line] = `  ${person.firstName} ${call.says} (${instance + 1}) → ${what}`;
    };
    tell('…');
    const mayFail = this.#broken.length > 0;
    const patience = patienceMs ?? undefined;
    let answer = await call.send(this.#stage.instances[instance], patience);
    if (answer === 'unsent') answer = await call.send(this.#stage.instances[instance === 0 ? 1 : 0], patience);
    const at: Span = [from, Date.now() + 1];
    if (typeof answer === 'string') {
      tell(patience === undefined ? answer : 'nothing, and hung up');
      if (patience === undefined && !mayFail && this.#broken.length === 0) {
        this.fail('the connection broke, and nothing was wrong');
      }
      return { person, call, answer, at };
    }
    const { status, body } = answer;
    tell(`${status}${status >= 400 && isObject(body) ? ` ${show(body.code)}` : ''}${isLost ? ', which got lost' : ''}`);
    if (status >= 500 && status !== 501) {
      if (status !== 503 || !this.#stage.wasTroubled(at)) this.fail(`a ${status}: ${show(body)}`);
      return { person, call, answer: 'lost', at };
    }
    if (isLost) return { person, call, answer: 'lost', at };
    call.keep?.(answer);
    if (status === 401 && isObject(body) && body.code === 'LOGIN_REQUIRED') forgetDead(person);
    return { person, call, answer, at };
  }

  /** Keeps the worlds in which these answers could have been given, in some order. */
  judge(done: Done[]): void {
    for (const [person, deeds] of Map.groupBy(done, (one) => one.person)) {
      const wrong = new Set<string>();
      const before = deeds.length > 1 ? person.worlds.map(letIn) : person.worlds;
      const left = orders(deeds)
        .flatMap((order) =>
          order.reduce((worlds, deed) => distinct(worlds.flatMap((world) => after(world, deed, wrong))), before),
        )
        .map(alone);
      if (left.length === 0) {
        this.fail(
          `${person.firstName} got what cannot be:\n${[...wrong]
            .slice(0, 8)
            .map((line) => `- ${line}`)
            .join('\n')}`,
        );
      }
      person.worlds = distinct(left);
      most = Math.max(most, person.worlds.length);
      for (const { account } of person.worlds) if (account?.id) person.ids.add(account.id);
    }
    for (const { person, call, answer } of done) {
      if (call.takes) this.#takeToken(person, call.takes, answer, done);
    }
  }

  /** A device has one user at a time: others lose its push token. */
  #takeToken(taker: Person, token: string, answer: Answer, done: Done[]): void {
    for (const person of this.people) {
      if (person === taker) continue;
      const isCertain = typeof answer === 'object' && answer.status === 204;
      const isContested = done.some((other) => other.person === person && other.call.takes === token);
      person.worlds = distinct(
        person.worlds.flatMap((world) => {
          if (world.account?.pushToken !== token) return [world];
          const without = copyOf(world);
          if (without.account) without.account.pushToken = null;
          return isCertain && !isContested ? [without] : [world, without];
        }),
      );
    }
  }

  #break(n: number, { name, afterMs, lasts }: NonNullable<Round['fault']>): void {
    const same = this.#broken.some((other) => groupOf(other.name) === groupOf(name));
    if (same) return;
    this.wasBroken = true;
    this.trace.push(`  ${name}, for ${lasts} rounds`);
    const { promise, resolve } = Promise.withResolvers<void>();
    const healing: Healing = {
      name,
      until: n + lasts,
      heal: resolve,
      healed: pause(afterMs).then(() => FAULTS[name](this.#stage, promise)),
    };
    healing.healed.catch(() => undefined); // awaited later
    this.#broken.push(healing);
  }

  async #healUntil(n: number): Promise<void> {
    const isDue = (one: Healing) => one.until <= n;
    // No process starts without Redis.
    const needsAll = this.#broken.some((one) => isDue(one) && one.name.endsWith('killed'));
    const due = this.#broken.filter((one) => isDue(one) || needsAll);
    for (const { heal } of due) heal();
    await Promise.all(due.map(({ healed }) => healed));
    this.#broken = this.#broken.filter((one) => !due.includes(one));
    this.trace.push(n === Number.POSITIVE_INFINITY ? 'The end:' : `Round ${n}:`);
  }

  /** Everything is well again. */
  async heal(): Promise<void> {
    await this.#healUntil(Number.POSITIVE_INFINITY);
    await this.#stage.untilReady();
  }

  fail(what: string): never {
    throw new Error(`${what}\n\nThe story:\n${this.trace.join('\n')}`);
  }
}

/** Two of one group would stand in each other's way. */
function groupOf(name: FaultName): string {
  if (name.startsWith('Redis')) return 'Redis';
  return name.startsWith('PostgreSQL') ? 'PostgreSQL' : name;
}

/** An access token that was refused is of no use; the app tries a refresh next. */
function forgetDead(person: Person): void {
  for (const phone of person.phones) {
    const { access } = phone;
    const isLive = person.worlds.some(
      ({ account }) => account?.id === access?.userId && account?.tokenVersion === access?.version,
    );
    if (!isLive) phone.access = undefined;
  }
}

function after(world: World, { call, answer, at }: Done, wrong: Set<string>): World[] {
  if (answer === 'unsent') return [world];
  const outcomes = call.outcomes(world, at);
  if (answer === 'lost') return [world, ...outcomes.map((outcome) => outcome.world)];
  return outcomes.flatMap((outcome) => {
    const why = misfit(outcome, answer);
    if (why) wrong.add(`${call.says}: ${why}`);
    return why ? [] : [outcome.world];
  });
}

function misfit({ status, body, isReplay }: Outcome, told: Told): string | undefined {
  if (status !== told.status) return `${told.status} ${show(told.body)} instead of ${status}`;
  const replayed = told.headers['idempotency-replayed'];
  if ((replayed === 'true') !== (isReplay === true)) return `Idempotency-Replayed is ${replayed}`;
  return body === undefined ? undefined : difference(body, told.body);
}

function alone(world: World): World {
  if (!world.account?.letIn) return world;
  const next = copyOf(world);
  delete next.account?.letIn;
  return next;
}

function distinct(worlds: World[]): World[] {
  return [...new Map(worlds.map((world) => [JSON.stringify(world), world])).values()];
}

function orders<T>(items: T[]): T[][] {
  if (items.length <= 1) return [items];
  return items.flatMap((item, n) => orders(items.toSpliced(n, 1)).map((rest) => [item, ...rest]));
}
