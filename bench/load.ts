// Sends prepared requests from a process of its own, so that measuring does not slow down what is measured.
import { type ChildProcess, fork } from 'node:child_process';
import { Agent } from 'node:http';
import { type Prepared, send, type Tokens } from './helpers.ts';

/** What a load process is told to send. */
export interface Load {
  url: string;
  connections: number;
  /** Sent in this order, each over the first connection that is free. */
  requests: Prepared[];
  /** Refreshes instead: one connection a person, each with the token that the answer before brought. */
  refreshes?: Array<{ token: string; requests: Prepared[] }>;
}

export interface LoadResult {
  /** Milliseconds of each answer, sorted. */
  times: number[];
  seconds: number;
  /** Status → how often. */
  statuses: Record<string, number>;
  /** On the wire, both ways, with headers. */
  bytes: number;
  /** After refreshes: the newest tokens, in the order of the people. */
  tokens: Tokens[];
}

/** A process that sends. */
export function startLoad(): { run(load: Load): Promise<LoadResult>; stop(): void } {
  const child: ChildProcess = fork(import.meta.filename, { execArgv: process.execArgv, serialization: 'advanced' });
  return {
    run: (load) => {
      const { promise, resolve, reject } = Promise.withResolvers<LoadResult>();
      const onExit = () => reject(new Error('the load process ended'));
      child.once('exit', onExit);
      child.once('message', (result) => {
        child.off('exit', onExit);
        resolve(result as LoadResult);
      });
      child.send(load);
      return promise;
    },
    stop: () => void child.kill(),
  };
}

async function run({ url, connections, requests, refreshes }: Load): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const times: number[] = [];
  const statuses: Record<string, number> = {};
  const sent = async (request: Prepared) => {
    const { status, milliseconds, body } = await send(agent, url, request, 60_000);
    statuses[status] = (statuses[status] ?? 0) + 1;
    times.push(milliseconds);
    return body;
  };
  let next = 0;
  const shared = async () => {
    for (let request = requests[next++]; request; request = requests[next++]) await sent(request);
  };
  const ofPerson = async ({ token, requests: own }: { token: string; requests: Prepared[] }): Promise<Tokens> => {
    let tokens: Tokens = { accessToken: '', refreshToken: token };
    for (const request of own) {
      const headers = { ...request.headers, 'x-refresh-token': `DPoP ${tokens.refreshToken}` };
      tokens = JSON.parse((await sent({ ...request, headers })).toString()) as Tokens;
    }
    return tokens;
  };
  const started = performance.now();
  const tokens = await (refreshes
    ? Promise.all(refreshes.map(ofPerson))
    : Promise.all(Array.from({ length: connections }, shared)).then(() => []));
  const seconds = (performance.now() - started) / 1000;
  const sockets = Object.values(agent.freeSockets).flatMap((free) => free ?? []);
  const bytes = sockets.reduce((sum, socket) => sum + socket.bytesRead + socket.bytesWritten, 0);
  agent.destroy();
  return { times: times.toSorted((a, b) => a - b), seconds, statuses, bytes, tokens };
}

if (process.argv[1] === import.meta.filename) {
  process.on('message', async (load: Load) => {
    process.send?.(await run(load));
  });
}
