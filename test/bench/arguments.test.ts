import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

function run(script: string, ...args: string[]) {
  const file = fileURLToPath(new URL(`../../bench/${script}`, import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', file, ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

it('--help shows the options of a script', () => {
  const { status, stdout, stderr } = run('run.ts', '--help');
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^Measures xsync and other tools .*npm run bench -- --compare COMMIT .*missed\.$/ms);
});

it.each([
  ['--nonsense', "run.ts: Unknown option '--nonsense'"],
  ['--runs=0', 'run.ts: --runs must be a whole number of at least 1'],
])('a mistake is told without a stack trace: %s', (argument, message) => {
  const { status, stdout, stderr } = run('run.ts', argument);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toBe(`${message}\nTo list the options, use --help.\n`);
});
