import { describe, expect, it } from 'vitest';
import { exitOfError, exitOfSummary } from '../../src/cli/exit.js';
import type { Summary } from '../../src/engine/events.js';
import { type ErrorCode, XsyncError } from '../../src/model/error.js';
import { summary } from './fixtures.js';

const NONE: Summary['failed'] = { objects: 0, byClass: {}, list: [] };
const clean: Summary = { ...summary, failed: NONE };
const failing = (byClass: Summary['failed']['byClass'], objects: number): Summary['failed'] => ({
  objects,
  byClass,
  list: [],
});

const RUNS: [string, Partial<Summary>, number][] = [
  ['everything copied', {}, 0],
  ['only temporary failures', { failed: failing({ temporary: 2 }, 2) }, 5],
  ['a failure that another run will meet again', { failed: failing({ temporary: 2, permanent: 1 }, 3) }, 6],
  ['a failure that needs a person', { failed: failing({ person: 1 }, 1) }, 6],
  ['--max-transfer reached', { stopped: 'max-transfer' }, 8],
  ['--max-duration reached', { stopped: 'max-duration' }, 10],
  ['a limit reached, but objects failed too', { stopped: 'max-transfer', failed: failing({ person: 1 }, 1) }, 6],
  ['Ctrl-C', { stopped: 'interrupted', failed: failing({ person: 1 }, 1) }, 130],
  ['nothing to do', { copied: { objects: 0, bytes: 0 } }, 0],
];

const ERRORS: [ErrorCode, number][] = [
  ['usage', 2],
  ['bucket-not-found', 3],
  ['object-not-found', 4],
  ['throttled', 5],
  ['network', 5],
  ['unreachable', 5],
  ['timeout', 5],
  ['locked', 5],
  ['object-archived', 6],
  ['key-not-representable', 6],
  ['bad-credentials', 7],
  ['expired-credentials', 7],
  ['access-denied', 7],
  ['wrong-region', 7],
  ['wrong-endpoint', 7],
  ['config', 7],
  ['guard', 7],
  ['tls', 7],
  ['disk-full', 7],
  ['limit', 8],
  ['aborted', 130],
  ['internal', 1],
];

describe('the exit code tells a script what happened', () => {
  it.each(RUNS)('%s', (_, change, exitCode) => {
    expect(exitOfSummary({ ...clean, ...change }, { errorOnNoTransfer: false })).toBe(exitCode);
  });

  it('nothing transferred is an error only with --error-on-no-transfer', () => {
    const idle = { ...clean, copied: { objects: 0, bytes: 0 } };
    expect(exitOfSummary(idle, { errorOnNoTransfer: true })).toBe(9);
    expect(exitOfSummary(clean, { errorOnNoTransfer: true })).toBe(0);
  });

  it.each(ERRORS)('a run that ends with %s exits %i', (code, exitCode) => {
    expect(exitOfError(new XsyncError(code, 'x'))).toBe(exitCode);
  });

  it('promises a script no better luck the next time where there is none', () => {
    expect(exitOfError(new XsyncError('invalid-response', 'x', { class: 'permanent' }))).toBe(1);
  });
});
