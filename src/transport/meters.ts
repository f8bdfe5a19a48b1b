import type { Metrics } from '#platform/metrics.ts';

/** What this process counts of its requests. */
export type Meters = ReturnType<typeof buildMeters>;

/** Registers rate, errors and duration of requests, refusals by limits, and hits of the cache. */
export function buildMeters(metrics: Metrics) {
  const durations = metrics.histogram(
    'http_request_duration_seconds',
    'From the arrival of a request to the end of its answer, by the path that its route declares',
    ['method', 'route', 'status'],
  );
  const cacheReads = metrics.counter('cache_reads_total', 'Answers looked for in the cache', ['namespace', 'outcome']);
  const refusals = metrics.counter('limit_refusals_total', 'Requests that a limit refused', ['limit']);
  return {
    /** @param route path as declared, with names for ids; @param status `aborted` when the client hung up */
    answered: (method: string, route: string, status: number | 'aborted', seconds: number) =>
      durations.observe({ method, route, status }, seconds),
    /** Both outcomes are there from the first read on: without a hit of 0 the share of hits is no number. */
    cacheRead: (namespace: string, outcome: 'hit' | 'miss') => {
      cacheReads.inc({ namespace, outcome });
      cacheReads.inc({ namespace, outcome: outcome === 'hit' ? 'miss' : 'hit' }, 0);
    },
    refused: (limit: string) => refusals.inc({ limit }),
  };
}
