import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { lookingSettings } from '../../src/open/known.js';
import { Opener } from '../../src/open/sides.js';

const folder = mkdtempSync(join(tmpdir(), 'xsync-sides-'));
afterAll(() => rmSync(folder, { recursive: true }));

const BODY = Buffer.from('12345');

test('--bwlimit holds a copy from disk to disk, once: where it is written', async () => {
  const asked: string[] = [];
  const bandwidth = () => ({
    get up() {
      asked.push('up');
      return 1e9;
    },
    get down() {
      asked.push('down');
      return 1e9;
    },
  });
  const opener = new Opener({ ...lookingSettings({}, {}), bandwidth }, { path: '', unset: {}, remotes: {} });
  const [from, to] = [await opener.side(join(folder, 'a')), await opener.side(join(folder, 'b'))];
  await from.store.put('k', BODY);
  asked.length = 0;
  await from.store.read('k', new Uint8Array(BODY.length));
  expect(asked).toEqual([]);
  await to.store.put('k', BODY);
  expect(new Set(asked)).toEqual(new Set(['up']));
  await Promise.all([from.close(), to.close()]);
});
