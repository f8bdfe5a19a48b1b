import { createConnection, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  port: number;
  /** Ends every connection and refuses new ones, as a server that went down. */
  cut(): void;
  /** Keeps connections open and passes nothing on, as a server that hangs. */
  freeze(): void;
  restore(): void;
  /** Passes new connections to another port, as an address that moves to another machine. */
  pointTo(port: number): void;
  close(): Promise<void>;
}

/** A loopback proxy in front of a service, so that a test can take the service away and give it back. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let isCut = false;
  let target = targetPort;
  const server = createServer((incoming) => {
    if (isCut) {
      incoming.destroy();
      return;
    }
    const outgoing = createConnection(target, '127.0.0.1');
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(from);
      from
        .on('error', () => to.destroy())
        .on('close', () => {
          sockets.delete(from);
          to.destroy();
        });
      from.pipe(to);
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: address.port,
    cut,
    pointTo: (port) => {
      target = port;
    },
    freeze: () => {
      for (const socket of sockets) socket.unpipe().pause();
    },
    restore: () => {
      // A frozen connection has lost its place; both ends start anew.
      for (const socket of sockets) if (socket.isPaused()) socket.destroy();
      isCut = false;
    },
    close: async () => {
      cut();
      await new Promise((done) => server.close(done));
    },
  };
}
