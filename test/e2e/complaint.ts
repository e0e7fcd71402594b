/** What every complaint to a person has in common. */
import { expect } from 'vitest';
import { EXIT } from '../../src/cli/exit.js';
import type { Outcome } from './harness.js';

/** Never on a screen: stack traces, the words of libraries, and the secrets of these tests. */
const UNFIT = [/\n\s+at .+:\d+/, /UND_ERR_/, /a bug in xsync/, /SqliteError|TypeError/, /[-\w]*-secret\b/i];

/** The run ended with `exit`, and in one complaint that has every fragment. */
export function expectComplaint(outcome: Outcome, exit: keyof typeof EXIT, ...fragments: string[]): void {
  const { code, stderr, stdout } = outcome;
  for (const fragment of fragments) expect(stderr).toContain(fragment);
  for (const unfit of UNFIT) expect(stderr + stdout).not.toMatch(unfit);
  expect(stderr.match(/\bxsync: /g) ?? [], stderr).toHaveLength(1);
  expect(Object.entries(EXIT).find(([, number]) => number === code)?.[0], stderr).toBe(exit);
}

/** The run was carried through; the object `key` failed for the reason told in the fragments, and only once in the log. */
export function expectFailedObject(outcome: Outcome, key: string, ...fragments: string[]): void {
  expectFailure(outcome, key, fragments);
  expect(outcome.code).toBe(EXIT.objectsFailed);
}

/** The same for an object that a later run may copy. */
export function expectTemporaryFailure(outcome: Outcome, key: string, ...fragments: string[]): void {
  expectFailure(outcome, key, fragments);
  expect(outcome.code).toBe(EXIT.temporary);
}

function expectFailure(outcome: Outcome, key: string, fragments: readonly string[]): void {
  const { stderr, stdout } = outcome;
  const told = stderr.split('\n').filter((line) => line.includes(`failed ${key}: `));
  expect(told, stderr).toHaveLength(1);
  for (const fragment of fragments) expect(told[0]).toContain(fragment);
  for (const unfit of UNFIT) expect(stderr + stdout).not.toMatch(unfit);
  expect(stderr.replace(/\s+/g, ' ')).toMatch(/To retry failed objects, run (xsync retry|the same command again)/);
}
