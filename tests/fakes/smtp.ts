import { createServer, type Socket } from 'node:net';

interface Received {
  from: string;
  to: string;
  /** Headers and body as they were sent. */
  data: string;
}

export interface FakeSmtp {
  url: string;
  received: Received[];
  /** Replies to the next recipients, before any is accepted. */
  refusals: string[];
  close(): Promise<void>;
}

/** As much of SMTP (RFC 5321) as a client needs to hand over a mail. */
export async function startSmtp(): Promise<FakeSmtp> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let [from, to, data, reading] = ['', '', '', false];
    const say = (line: string) => socket.write(`${line}\r\n`);
    let rest = '';
    say('220 fake ready');
    socket
      .on('error', () => undefined)
      .on('data', (chunk) => {
        rest += chunk;
        for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
          const line = rest.slice(0, end);
          rest = rest.slice(end + 2);
          if (reading) {
            if (line === '.') {
              fake.received.push({ from, to, data });
              reading = false;
              say('250 kept');
            } else data += `${line.replace(/^\.\./, '.')}\n`;
            continue;
          }
          const verb = line.slice(0, 4).toUpperCase();
          if (verb === 'EHLO') say('250 fake');
          else if (verb === 'MAIL') [from] = [/<(.*?)>/.exec(line)?.[1] ?? '', say('250 ok')];
          else if (verb === 'RCPT') [to] = [/<(.*?)>/.exec(line)?.[1] ?? '', say(fake.refusals.shift() ?? '250 ok')];
          else if (verb === 'DATA') [data, reading] = ['', Boolean(say('354 go on')) || true];
          else if (verb === 'QUIT') socket.end('221 bye\r\n');
          else say('250 ok');
        }
      });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  const fake: FakeSmtp = {
    url: `smtp://127.0.0.1:${address.port}`,
    received: [],
    refusals: [],
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
  return fake;
}
