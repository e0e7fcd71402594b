import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { FailureRow, ManifestRow } from '../../src/manifest/port.js';

/** A folder that goes when the test does. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'xsync-manifest-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function rowOf(key: string, changes: Partial<ManifestRow> = {}): ManifestRow {
  return {
    key,
    size: 5,
    sourceEtag: '5d41402abc4b2a76b9719d911017c592',
    sourceMtimeMs: 1_700_000_000_123,
    destEtag: '5D41402ABC4B2A76B9719D911017C592',
    verifiedBy: 'md5',
    ours: true,
    atMs: 1_700_000_001_000,
    ...changes,
  };
}

export function failureOf(
  key: string,
  lastMs: number,
  message = 'connection reset',
): Omit<FailureRow, 'attempts' | 'firstMs' | 'seenMs' | 'dropped'> {
  const fault = { class: 'temporary', code: 'network', message, settings: 's' } as const;
  return { key, size: 5, sourceEtag: 'e', sourceMtimeMs: 50, arrivedMs: 40, ...fault, lastMs };
}

/** Keys that have hurt somebody: controls, SQL, astral against U+FF5E, composed against decomposed, dot segments. */
export const AWKWARD_KEYS = [
  '',
  'a\0b',
  'a\0c',
  'a\nb',
  "'; DROP TABLE object; --",
  '～',
  '😀',
  '\ud7ff',
  '\ue000',
  'caf\u00e9',
  'cafe\u0301',
  '../up',
  '/lead',
  'trail/',
  '%2F+ ?#',
  'A',
  'a',
];
