import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The client as it is written, not as it was last built.
  ssr: { resolve: { conditions: ['strong-together', 'module', 'node', 'development|production'] } },
  test: {
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts'],
    globalSetup: 'tests/setup/services.ts',
    // Each file starts its own server; more workers than cores only make them wait for each other.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
