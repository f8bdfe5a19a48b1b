import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Expo's client reads its address when it is first imported: these files need a process of their own. */
const WITH_PUSHES = ['src/features/push/*.test.ts'];

export default defineConfig({
  // The client as it is written, not as it was last built.
  ssr: { resolve: { conditions: ['strong-together', 'node', 'development|production'] } },
  test: {
    globalSetup: 'tests/setup/services.ts',
    // Server processes that tests start: each compiles what the first one compiled.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), 'strong-together-compile-cache') },
    // Tests wait for leases and pauses much of the time, hence more than one worker a core.
    maxWorkers: 4,
    // A test that asserts nothing fails, such as one that returns before it does.
    expect: { requireAssertions: true },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'all',
          include: ['src/**/*.test.ts', 'web/src/**/*.test.ts', 'tests/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...WITH_PUSHES],
          // Importing the server takes two seconds, and most files do: once a worker is enough.
          isolate: false,
        },
      },
      { extends: true, test: { name: 'push', include: WITH_PUSHES } },
    ],
  },
});
