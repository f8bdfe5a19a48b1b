import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, onTestFinished, vi } from 'vitest';
import { type ServerProcess, startProcess } from './helpers/process.ts';
import { withServer } from './helpers/server.ts';

interface Answer {
  status: number | undefined;
  connection: string | undefined;
  body: string;
}

function get(url: string, agent?: Agent, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...(agent ? { agent } : {}), headers }, (response) => {
      let body = '';
      response.on('data', (chunk) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode, connection: response.headers.connection, body }));
      response.on('error', reject);
    });
    sent.once('error', reject).end();
  });
}

/** Sends bytes as they are and collects the answer until the server ends the connection or says something. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
      socket.destroy();
    });
    socket.once('close', () => resolve(answer)).once('error', reject);
  });
}

const it = withServer();

describe('a graceful stop', () => {
  it('resets no connection: not ready first, then "Connection: close", then the end', async ({ server: first }) => {
    const server: ServerProcess = await startProcess('all', {
      DATABASE_URL: first.databaseUrl,
      REDIS_URL: first.config.redisUrl ?? '',
      SHUTDOWN_DRAIN_MS: '1500',
    });
    onTestFinished(async () => void (await server.kill('SIGKILL')));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const answers: Answer[] = [];
    const failures: string[] = [];
    let isOver = false;
    const asking = (async () => {
      // A proxy takes the server out after some answers "not ready"; who opens a connection in the moment in which the
      // listener closes may be reset by the kernel.
      while (!isOver && answers.filter(({ status }) => status === 503).length < 20) {
        try {
          answers.push(await get(`${server.url}/health/ready`, agent));
        } catch (error) {
          failures.push((error as NodeJS.ErrnoException).code ?? String(error));
          if (failures.length > 2) return;
        }
        await pause(5);
      }
    })();
    await vi.waitFor(() => expect(answers.length).toBeGreaterThan(5), 10_000);
    expect(answers.every(({ status, connection }) => status === 200 && connection === 'keep-alive')).toBe(true);
    await server.kill('SIGTERM');
    isOver = true;
    await asking;
    const draining = answers.filter(({ status }) => status === 503);
    expect(draining.length).toBeGreaterThan(5);
    expect(draining.every(({ connection }) => connection === 'close')).toBe(true);
    expect(failures).toEqual([]);
    agent.destroy();
  });
});

describe('a connection', () => {
  it('is kept longer than proxies keep theirs', async ({ server }) => {
    const answer = await raw(Number(new URL(server.url).port), 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(Number(/keep-alive: timeout=(\d+)/i.exec(answer)?.[1])).toBeGreaterThan(60);
  });

  it.for([
    ['/health', 'h2c', 200],
    ['/health', 'websocket', 200],
    ['/nowhere', 'websocket', 404],
    ['/socket.io/?EIO=4&transport=websocket', 'h2c', 400],
  ])('that asks for %s with Upgrade: %s gets an answer', async ([path, protocol, status], { server }) => {
    const lines = [`GET ${path} HTTP/1.1`, 'Host: x', 'Connection: Upgrade, HTTP2-Settings', `Upgrade: ${protocol}`];
    const headers = ['X-App-Version: 4.5.0', 'HTTP2-Settings: AAMAAABkAAQAAP__'];
    const answer = await raw(Number(new URL(server.url).port), [...lines, ...headers, '', ''].join('\r\n'));
    expect(answer.split(' ')[1]).toBe(String(status));
  });

  it('that is a WebSocket and never joins is cut off, even when it does not answer the end', async ({ server }) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    const lines = [
      'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
      'Host: x',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ];
    socket.write([...lines, '', ''].join('\r\n'));
    let received = '';
    socket.on('data', (chunk) => (received += chunk.toString('latin1')));
    const ended = new Promise<void>((done) => socket.once('close', () => done()));
    await vi.waitFor(() => expect(received).toContain('pingInterval'));
    await ended; // within the time of the test; the library alone would take 40 s
    socket.destroy();
  }, 20_000);
});
