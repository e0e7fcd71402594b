import { describe, expect, test } from 'vitest';
import {
  type CheckPolicy,
  type CopyPolicy,
  type Decision,
  type DestState,
  decide,
  type Evidence,
  type Policy,
  type SideState,
} from '../../../src/engine/decide/decide.js';
import { POLICY, SYNC_POLICY } from '../support.js';

const KNOWN = { ours: true, proven: true, apartMs: 0, onDisk: false };
const SAME: Evidence = { sizeSame: true, checksum: 'same', ...KNOWN };
const DIFFERS: Evidence = { sizeSame: true, checksum: 'differs', ...KNOWN };
const SIZE: Evidence = { sizeSame: false, checksum: 'unknown', ...KNOWN };
const NOTHING: Evidence = { sizeSame: true, checksum: 'unknown', ...KNOWN };
/** The manifest's row, if there is one, was adopted, by size and time. */
const ADOPTED: Evidence = { ...NOTHING, ours: false, proven: false };

type Row = [s: SideState, d: DestState, evidence: Evidence, expected: string];

/** `action reason` in a word or two, so that a table stays a table. */
function brief(decision: Decision): string {
  if (decision.action === 'none') return 'none';
  if (decision.action === 'inspect') return `inspect ${decision.reason} else ${decision.otherwise}`;
  if (decision.action === 'report') {
    const { finding } = decision;
    return `report ${finding.verdict}${'by' in finding ? ` ${finding.by}` : ''}`;
  }
  return `${decision.action} ${decision.reason}`;
}

const CHECK: CheckPolicy = { mode: 'check', compare: 'default', oneWay: false };

function holds(policy: Policy, rows: Row[]): void {
  test.each(rows)('%s | %s | %o → %s', (s, d, evidence, expected) => {
    expect(brief(decide(policy, s, d, evidence))).toBe(expected);
  });
}

describe('copy, by default', () => {
  holds(POLICY, [
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
    ['changed', 'changed', NOTHING, 'inspect times else time-differs'],
    ['changed', 'changed', SAME, 'skip same-checksum'],
    ['unknown', 'unknown', SIZE, 'copy size-differs'],
    ['unknown', 'unknown', DIFFERS, 'copy checksum-differs'],
    ['unknown', 'unknown', SAME, 'skip same-checksum'],
    ['unknown', 'unknown', NOTHING, 'inspect times else time-differs'],
  ]);
});

describe('--ignore-existing', () => {
  holds({ ...POLICY, ignoreExisting: true }, [
    ['unknown', 'absent', SIZE, 'copy new'],
    ['same', 'absent', SIZE, 'copy missing-at-destination'],
    ['changed', 'same', DIFFERS, 'skip exists'],
    ['unknown', 'unknown', SIZE, 'skip exists'],
    ['unknown', 'unlisted', SIZE, 'inspect unlisted else new'],
  ]);
});

describe('--ignore-times', () => {
  holds({ ...POLICY, compare: 'ignore-times' }, [
    ['same', 'same', SAME, 'copy forced'],
    ['unknown', 'unknown', SAME, 'copy forced'],
    ['unknown', 'absent', SIZE, 'copy new'],
  ]);
});

describe('--size-only', () => {
  holds({ ...POLICY, compare: 'size-only' }, [
    ['changed', 'same', DIFFERS, 'skip same-size'],
    ['changed', 'same', SIZE, 'copy size-differs'],
    ['unknown', 'unknown', NOTHING, 'skip same-size'],
    ['unknown', 'absent', SIZE, 'copy new'],
  ]);
});

describe('--modify-window', () => {
  const apart: Evidence = { ...ADOPTED, apartMs: 5000 };
  holds({ ...POLICY, modifyWindowMs: 5000 }, [['same', 'same', apart, 'skip unchanged']]);
  holds({ ...POLICY, modifyWindowMs: 4999 }, [
    ['same', 'same', apart, 'inspect times else time-differs'],
    ['same', 'same', { ...apart, checksum: 'same' }, 'skip same-checksum'],
    ['same', 'same', { ...apart, checksum: 'differs' }, 'copy checksum-differs'],
  ]);
});

describe('--checksum', () => {
  const onDisk: Evidence = { ...NOTHING, onDisk: true };
  holds({ ...POLICY, compare: 'checksum' }, [
    ['same', 'same', NOTHING, 'skip unchanged'],
    ['same', 'same', ADOPTED, 'inspect checksums else checksum-differs'],
    ['same', 'same', { ...ADOPTED, checksum: 'differs' }, 'copy checksum-differs'],
    ['same', 'same', { ...ADOPTED, checksum: 'same' }, 'skip same-checksum'],
    ['same', 'same', onDisk, 'inspect checksums else checksum-differs'],
    ['changed', 'same', NOTHING, 'inspect checksums else checksum-differs'],
    ['same', 'changed', NOTHING, 'inspect checksums else checksum-differs'],
    ['unknown', 'unknown', NOTHING, 'inspect checksums else checksum-differs'],
    ['unknown', 'unknown', SAME, 'skip same-checksum'],
    ['unknown', 'unknown', DIFFERS, 'copy checksum-differs'],
    ['unknown', 'unknown', SIZE, 'copy size-differs'],
  ]);
});

describe('--update', () => {
  holds({ ...POLICY, update: true }, [
    ['unknown', 'absent', SIZE, 'copy new'],
    ['same', 'same', NOTHING, 'skip unchanged'],
    ['changed', 'same', SIZE, 'inspect times else source-changed'],
    ['unknown', 'unknown', DIFFERS, 'inspect times else checksum-differs'],
  ]);
});

describe('--immutable', () => {
  holds({ ...POLICY, immutable: true }, [
    ['unknown', 'absent', SIZE, 'copy new'],
    ['same', 'same', NOTHING, 'skip unchanged'],
    ['changed', 'same', SIZE, 'fail immutable'],
    ['unknown', 'unknown', DIFFERS, 'fail immutable'],
    ['unknown', 'unknown', SAME, 'skip same-checksum'],
  ]);
});

const STATES: SideState[] = ['same', 'changed', 'unknown'];

describe('sync, where the source has nothing', () => {
  holds(SYNC_POLICY, [
    ['absent', 'absent', NOTHING, 'none'],
    ['absent', 'unlisted', NOTHING, 'none'],
    ['absent', 'same', NOTHING, 'delete gone-at-source'],
    ['absent', 'same', ADOPTED, 'keep not-ours'],
    ['absent', 'changed', NOTHING, 'keep changed-at-destination'],
    ['absent', 'changed', ADOPTED, 'keep changed-at-destination'],
    ['absent', 'unknown', ADOPTED, 'keep unknown'],
  ]);
});

describe('sync --delete-unknown, where the source has nothing', () => {
  holds({ ...SYNC_POLICY, deleteUnknown: true }, [
    ['absent', 'absent', NOTHING, 'none'],
    ['absent', 'unlisted', NOTHING, 'none'],
    ['absent', 'same', NOTHING, 'delete gone-at-source'],
    ['absent', 'same', ADOPTED, 'delete gone-at-source'],
    ['absent', 'changed', NOTHING, 'delete changed-at-destination'],
    ['absent', 'unknown', ADOPTED, 'delete unknown'],
  ]);
});

test('where the source has the object, sync decides as copy does', () => {
  const variants: Partial<CopyPolicy>[] = [{}, { compare: 'checksum' }, { update: true }, { immutable: true }];
  for (const policy of variants) {
    for (const s of STATES) {
      for (const d of [...STATES, 'absent', 'unlisted'] as DestState[]) {
        for (const evidence of [SAME, DIFFERS, SIZE, NOTHING, ADOPTED]) {
          const copy = decide({ ...POLICY, ...policy }, s, d, evidence);
          expect(decide({ ...SYNC_POLICY, ...policy, mode: 'sync', deleteUnknown: true }, s, d, evidence)).toEqual(
            copy,
          );
        }
      }
    }
  }
});

describe('check, by default', () => {
  holds(CHECK, [
    ['absent', 'absent', NOTHING, 'none'],
    ['absent', 'unlisted', NOTHING, 'none'],
    ['absent', 'same', NOTHING, 'report missing-on-src'],
    ['absent', 'changed', NOTHING, 'report missing-on-src'],
    ['absent', 'unknown', NOTHING, 'report missing-on-src'],
    ['same', 'absent', NOTHING, 'report missing-on-dst'],
    ['unknown', 'absent', NOTHING, 'report missing-on-dst'],
    ['unknown', 'unlisted', NOTHING, 'inspect unlisted else new'],
    ['same', 'same', NOTHING, 'report match manifest'],
    ['same', 'same', ADOPTED, 'inspect checksums else checksum-differs'],
    ['same', 'same', SIZE, 'report differ size'],
    ['changed', 'same', NOTHING, 'inspect checksums else checksum-differs'],
    ['same', 'changed', NOTHING, 'inspect checksums else checksum-differs'],
    ['unknown', 'unknown', NOTHING, 'inspect checksums else checksum-differs'],
    ['unknown', 'unknown', SAME, 'report match checksum'],
    ['unknown', 'unknown', DIFFERS, 'report differ checksum'],
    ['unknown', 'unknown', SIZE, 'report differ size'],
  ]);
});

describe('check --one-way', () => {
  holds({ ...CHECK, oneWay: true }, [
    ['absent', 'same', NOTHING, 'none'],
    ['absent', 'unknown', NOTHING, 'none'],
    ['unknown', 'absent', NOTHING, 'report missing-on-dst'],
  ]);
});

describe('check --size-only', () => {
  holds({ ...CHECK, compare: 'size-only' }, [
    ['same', 'same', NOTHING, 'report match size'],
    ['unknown', 'unknown', DIFFERS, 'report match size'],
    ['unknown', 'unknown', SIZE, 'report differ size'],
  ]);
});

describe('check --checksum believes no manifest', () => {
  holds({ ...CHECK, compare: 'checksum' }, [
    ['same', 'same', NOTHING, 'inspect checksums else checksum-differs'],
    ['same', 'same', SAME, 'report match checksum'],
    ['same', 'same', DIFFERS, 'report differ checksum'],
    ['same', 'same', SIZE, 'report differ size'],
  ]);
});

describe('check --download believes nothing but the bytes', () => {
  holds({ ...CHECK, compare: 'download' }, [
    ['same', 'same', SAME, 'inspect bytes else checksum-differs'],
    ['unknown', 'unknown', DIFFERS, 'inspect bytes else checksum-differs'],
    ['unknown', 'unknown', SIZE, 'report differ size'],
    ['unknown', 'absent', SIZE, 'report missing-on-dst'],
  ]);
});
