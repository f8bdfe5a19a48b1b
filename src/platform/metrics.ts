import { createServer } from 'node:http';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { StartupError } from './startupError.ts';

export interface Sample {
  labels: Record<string, string>;
  value: number;
}

export type Metrics = ReturnType<typeof buildMetrics>;

/** Upper bounds, in seconds: from an answer out of the cache to the longest that a request may take. */
const SECONDS = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Counters, gauges and histograms of this process, in the format of Prometheus. */
export function buildMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    counter: (name: string, help: string, labelNames: string[]) =>
      new Counter({ name, help, labelNames, registers: [registry] }),
    /** Of durations in seconds. */
    histogram: (name: string, help: string, labelNames: string[]) =>
      new Histogram({ name, help, labelNames, buckets: SECONDS, registers: [registry] }),
    /** A gauge that is measured when the metrics are fetched; it is left out if that fails. */
    measured(name: string, help: string, labelNames: string[], measure: () => Promise<Sample[]>): void {
      new Gauge({
        name,
        help,
        labelNames,
        registers: [registry],
        async collect() {
          const samples = await measure().catch(() => []);
          this.reset();
          for (const { labels, value } of samples) this.set(labels, value);
        },
      });
    },
  };
}

/** Serves `GET /metrics` on an address of its own, which is not for the public. @returns a function that closes it */
export async function serveMetrics({ registry }: Metrics, port: number, host: string): Promise<() => Promise<void>> {
  const server = createServer(async (req, res) => {
    if (req.method !== 'GET' || req.url?.split('?')[0] !== '/metrics') {
      res.writeHead(404).end();
      return;
    }
    try {
      const text = await registry.metrics();
      res.writeHead(200, { 'content-type': registry.contentType }).end(text);
    } catch {
      res.writeHead(500).end();
    }
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen(port, host, resolve);
  try {
    await promise;
  } catch (error) {
    throw new StartupError(
      `METRICS_HOST ${host}, METRICS_PORT ${port} cannot be used (${(error as NodeJS.ErrnoException).code}).`,
    );
  }
  return () =>
    new Promise((done) => {
      server.close(() => done());
      server.closeAllConnections();
    });
}
