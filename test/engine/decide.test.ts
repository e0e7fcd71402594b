import { describe, expect, test } from 'vitest';
import {
  type Decision,
  type DestState,
  decide,
  type Evidence,
  type Policy,
  type SideState,
} from '../../src/engine/decide.js';
import { POLICY } from './support.js';

const SAME: Evidence = { sizeSame: true, checksum: 'same' };
const DIFFERS: Evidence = { sizeSame: true, checksum: 'differs' };
const SIZE: Evidence = { sizeSame: false, checksum: 'unknown' };
const NOTHING: Evidence = { sizeSame: true, checksum: 'unknown' };

type Row = [s: SideState, d: DestState, evidence: Evidence, expected: string];

/** `action reason` in a word or two, so that a table stays a table. */
function brief(decision: Decision): string {
  if (decision.action === 'none') return 'none';
  if (decision.action === 'inspect') return `inspect ${decision.reason} else ${decision.otherwise}`;
  return `${decision.action} ${decision.reason}`;
}

function holds(policy: Partial<Policy>, rows: Row[]): void {
  test.each(rows)('%s | %s | %o → %s', (s, d, evidence, expected) => {
    expect(brief(decide({ ...POLICY, ...policy }, s, d, evidence))).toBe(expected);
  });
}

describe('copy, by default', () => {
  holds({}, [
    ['absent', 'absent', NOTHING, 'none'],
    ['absent', 'same', NOTHING, 'none'],
    ['absent', 'changed', NOTHING, 'none'],
    ['absent', 'unknown', NOTHING, 'none'],
    ['absent', 'unlisted', NOTHING, 'none'],
    ['unknown', 'absent', SIZE, 'copy new'],
    ['same', 'absent', SIZE, 'copy missing-at-destination'],
    ['changed', 'absent', SIZE, 'copy missing-at-destination'],
    ['unknown', 'unlisted', SIZE, 'inspect unlisted else new'],
    ['same', 'same', NOTHING, 'skip unchanged'],
    ['changed', 'same', NOTHING, 'copy source-changed'],
    ['changed', 'same', SIZE, 'copy source-changed'],
    ['changed', 'same', DIFFERS, 'copy source-changed'],
    ['changed', 'same', SAME, 'skip same-checksum'],
    ['same', 'changed', NOTHING, 'copy destination-changed'],
    ['same', 'changed', SIZE, 'copy destination-changed'],
    ['same', 'changed', SAME, 'skip same-checksum'],
    ['changed', 'changed', NOTHING, 'copy destination-changed'],
    ['changed', 'changed', SAME, 'skip same-checksum'],
    ['unknown', 'unknown', SIZE, 'copy size-differs'],
    ['unknown', 'unknown', DIFFERS, 'copy checksum-differs'],
    ['unknown', 'unknown', SAME, 'skip same-checksum'],
    ['unknown', 'unknown', NOTHING, 'inspect times else time-differs'],
  ]);
});

describe('--ignore-existing', () => {
  holds({ ignoreExisting: true }, [
    ['unknown', 'absent', SIZE, 'copy new'],
    ['same', 'absent', SIZE, 'copy missing-at-destination'],
    ['changed', 'same', DIFFERS, 'skip exists'],
    ['unknown', 'unknown', SIZE, 'skip exists'],
    ['unknown', 'unlisted', SIZE, 'inspect unlisted else new'],
  ]);
});

describe('--ignore-times', () => {
  holds({ compare: 'ignore-times' }, [
    ['same', 'same', SAME, 'copy forced'],
    ['unknown', 'unknown', SAME, 'copy forced'],
    ['unknown', 'absent', SIZE, 'copy new'],
  ]);
});

describe('--size-only', () => {
  holds({ compare: 'size-only' }, [
    ['changed', 'same', DIFFERS, 'skip same-size'],
    ['changed', 'same', SIZE, 'copy size-differs'],
    ['unknown', 'unknown', NOTHING, 'skip same-size'],
    ['unknown', 'absent', SIZE, 'copy new'],
  ]);
});

describe('--checksum', () => {
  holds({ compare: 'checksum' }, [
    ['same', 'same', NOTHING, 'skip unchanged'],
    ['changed', 'same', NOTHING, 'inspect checksums else checksum-differs'],
    ['same', 'changed', NOTHING, 'inspect checksums else checksum-differs'],
    ['unknown', 'unknown', NOTHING, 'inspect checksums else checksum-differs'],
    ['unknown', 'unknown', SAME, 'skip same-checksum'],
    ['unknown', 'unknown', DIFFERS, 'copy checksum-differs'],
    ['unknown', 'unknown', SIZE, 'copy size-differs'],
  ]);
});

describe('--update', () => {
  holds({ update: true }, [
    ['unknown', 'absent', SIZE, 'copy new'],
    ['same', 'same', NOTHING, 'skip unchanged'],
    ['changed', 'same', SIZE, 'inspect times else source-changed'],
    ['unknown', 'unknown', DIFFERS, 'inspect times else checksum-differs'],
  ]);
});

describe('--immutable', () => {
  holds({ immutable: true }, [
    ['unknown', 'absent', SIZE, 'copy new'],
    ['same', 'same', NOTHING, 'skip unchanged'],
    ['changed', 'same', SIZE, 'fail immutable'],
    ['unknown', 'unknown', DIFFERS, 'fail immutable'],
    ['unknown', 'unknown', SAME, 'skip same-checksum'],
  ]);
});
