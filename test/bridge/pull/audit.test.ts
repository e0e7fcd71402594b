import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { Audit } from '../../../src/bridge/pull/audit.js';

it('writes a line for each entry, and of many refusals in a second the first ones', () => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
  const directory = mkdtempSync(join(tmpdir(), 'xsync-audit-'));
  const file = join(directory, 'log');
  const said: string[] = [];
  const audit = new Audit(file, (text) => said.push(text));
  audit.note({ event: 'taken', id: 'r1', key: 'a\nb' });
  for (let n = 0; n < 100; n++) audit.refuse({ event: 'refused', from: '127.0.0.1', message: 'no' });
  vi.advanceTimersByTime(1000);
  audit.refuse({ event: 'refused', key: 'k', message: 'no' });
  audit.close();
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  expect(lines).toHaveLength(1 + 20 + 1);
  expect(lines[0]).toBe('{"time":"2027-01-15T08:00:00.000Z","event":"taken","id":"r1","key":"a\\nb"}');
  expect(said[19]).toBe('refused from 127.0.0.1: no; more in this second are not told');
  expect(said[20]).toBe('refused "k": no');
  expect(() => new Audit(directory, () => {})).toThrow('cannot be written');
  rmSync(directory, { recursive: true });
  vi.useRealTimers();
});

it.skipIf(!existsSync('/dev/full'))('a disk that is full is told once, and ends nothing', () => {
  const said: string[] = [];
  const audit = new Audit('/dev/full', (text) => said.push(text));
  audit.note({ event: 'taken' });
  audit.note({ event: 'done' });
  audit.close();
  expect(said).toEqual(['the audit log cannot be written: no space left on device']);
});
