import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { LogFile } from '../../src/cli/log-file.js';

const directory = mkdtempSync(join(tmpdir(), 'xsync-log-'));
afterAll(() => rmSync(directory, { recursive: true }));

test('a full disk is reported once and ends nothing', () => {
  const said: string[] = [];
  const file = new LogFile('/dev/full', (message) => said.push(message));
  file.write('one\n');
  file.write('two\nthree\n');
  file.close();
  expect(said).toEqual([
    '--log-file: /dev/full cannot be written: no space left on device — free space or check its folder; ' +
      'xsync continues without it',
    '--log-file: 3 lines were not written to /dev/full',
  ]);
});

test('after a rotation, reopening continues in a new file', () => {
  const said: string[] = [];
  const path = join(directory, 'log');
  const file = new LogFile(path, (message) => said.push(message));
  file.write('before\n');
  renameSync(path, `${path}.1`);
  file.reopen();
  file.write('after\n');
  file.close();
  expect([readFileSync(`${path}.1`, 'utf8'), readFileSync(path, 'utf8')]).toEqual(['before\n', 'after\n']);
  expect(said).toEqual([]);
});

test('when the folder is back, the log continues and says how many lines are missing', () => {
  const said: string[] = [];
  const folder = mkdtempSync(join(directory, 'gone-'));
  const path = join(folder, 'log');
  const file = new LogFile(path, (message) => said.push(message));
  renameSync(folder, `${folder}.away`);
  file.reopen();
  expect(said).toEqual([expect.stringMatching(/cannot be written: no such file or directory/)]);
  renameSync(`${folder}.away`, folder);
  file.write('back\n');
  file.close();
  expect(readFileSync(path, 'utf8')).toBe('back\n');
  expect(said.slice(1)).toEqual([`--log-file: ${path} is written again; 1 lines are missing`]);
});
