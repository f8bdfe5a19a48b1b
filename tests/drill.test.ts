// The drills say what they need; they run by hand.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const DRILL = join(import.meta.dirname, '../drill/drill.ts');

/** With these programs found and no others. */
function drill(args: string[], path: string | undefined) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=strong-together', DRILL, ...args], {
    env: { PATH: path },
    encoding: 'utf8',
  });
  return { status, lines: (stdout + stderr).trim().split('\n') };
}

it('names what is missing in one sentence', () => {
  const { status, lines } = drill([], '/nowhere');
  expect(status).toBe(1);
  expect(lines).toEqual([
    expect.stringMatching(
      /^The drill (runs as root, on Debian|needs more packages\. Install them: apt-get .* haproxy)/,
    ),
  ]);
});

it('names a step that is not known in one sentence', () => {
  const { status, lines } = drill(['--only', 'rolling,earthquake'], process.env.PATH);
  expect([status, lines]).toEqual([1, ['Unknown: earthquake; known: rolling, kill, redis, postgres, provider, disk.']]);
});
