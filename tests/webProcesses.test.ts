import { readFileSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { loadConfig } from '#src/config.ts';
import { newPhone } from './helpers/person.ts';
import { startProcess } from './helpers/process.ts';
import { startTestServer } from './helpers/server.ts';

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

// Their ids are read from /proc.
it.skipIf(process.platform !== 'linux')(
  'several processes share a port and sessions; one that dies is replaced; all stop together',
  async () => {
    const server = await startTestServer();
    const processes = await startProcess('all', {
      DATABASE_URL: server.databaseUrl,
      REDIS_URL: server.config.redisUrl ?? '',
      DATA_DIR: server.config.DATA_DIR,
      SHUTDOWN_DRAIN_MS: '0',
      WEB_CONCURRENCY: '2',
    });
    try {
      const [first, second] = childrenOf(processes.pid) as [number, number];
      expect(childrenOf(processes.pid)).toHaveLength(2);
      const phone = await newPhone({
        ...server,
        url: processes.url,
        fetch: (path, init = {}) =>
          fetch(processes.url + path, {
            ...init,
            headers: { 'x-app-version': '4.5.0', connection: 'close', ...init.headers },
          }),
      });
      const { accessToken } = await phone.tokens();
      const read = async () => (await phone.get('/api/users/get', accessToken)).status;
      for (let n = 0; n < 10; n++) expect(await read()).toBe(200); // each on a connection of its own: in turn

      process.kill(first, 'SIGKILL');
      await vi.waitFor(() => expect(runs(first)).toBe(false));
      for (let n = 0; n < 10; n++) expect(await read()).toBe(200);
      await vi.waitFor(() => expect(childrenOf(processes.pid)).toHaveLength(2), { timeout: 20_000 });
      const now = childrenOf(processes.pid);
      expect([now.includes(first), now.includes(second)]).toEqual([false, true]);

      await processes.kill('SIGTERM');
      expect(now.filter(runs)).toEqual([]);
    } finally {
      await processes.kill('SIGKILL');
      await server.close();
    }
  },
);

it('need Redis', () => {
  const load = () => loadConfig({ WEB_CONCURRENCY: '2' }, () => ({}) as never);
  expect(load).toThrow('WEB_CONCURRENCY');
});
