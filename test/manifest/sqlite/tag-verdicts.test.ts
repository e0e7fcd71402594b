import { expect, test } from 'vitest';
import { IN_MEMORY, openManifest } from '../../../src/manifest/sqlite/open.js';

const place = { kind: 'memory', endpoint: 'e', bucket: 'a', prefix: '' };
const empty = () => openManifest(IN_MEMORY, { source: place, dest: { ...place, bucket: 'b' } }).tagVerdicts;
const verdict = (key: string, exclusion?: string) => ({
  ...{ key, sourceEtag: 'e', sourceMtimeMs: 2, filter: 'f', atMs: 1 },
  ...(exclusion !== undefined && { exclusion }),
});

test('the latest verdict of a key counts', () => {
  const verdicts = empty();
  verdicts.put(verdict('k', 'why'));
  expect(verdicts.get('k')).toEqual(verdict('k', 'why'));
  verdicts.put(verdict('k'));
  expect(verdicts.get('k')).toEqual(verdict('k'));
  expect(verdicts.get('l')).toBeUndefined();
});

test('keys are in the order of their bytes, and can be dropped', () => {
  const verdicts = empty();
  for (const key of ['\u{1f600}', 'b', '\uffee', 'a']) verdicts.put(verdict(key, 'why'));
  expect(verdicts.keys(undefined, 2)).toEqual(['a', 'b']);
  expect(verdicts.keys('b', 9)).toEqual(['\uffee', '\u{1f600}']);
  verdicts.drop(['b', 'nothing']);
  verdicts.drop([]);
  expect(verdicts.keys(undefined, 9)).toEqual(['a', '\uffee', '\u{1f600}']);
});
