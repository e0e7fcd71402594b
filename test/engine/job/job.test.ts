import { describe, expect, test } from 'vitest';
import { type Mode, parseJob } from '../../../src/engine/job/job.js';
import { MODES } from '../../../src/engine/job/options.js';

const PLACES = { source: 'a', destination: 'b' };
const EACH: Mode[] = ['copy', 'sync', 'mirror', 'watch', 'check'];

describe('a job', () => {
  test.each(EACH)('of mode %s is complete after it was parsed, and parsing it again changes nothing', (mode) => {
    const job = parseJob(mode, PLACES);
    expect(job).toMatchObject({ version: 1, mode, ...PLACES, lowLevelRetries: 10, timeout: 60_000, transport: 'lean' });
    expect(parseJob(mode, JSON.parse(JSON.stringify(job)))).toEqual(job);
  });

  test('has the defaults of the command line', () => {
    expect(parseJob('sync', PLACES)).toMatchObject({
      ...{ compare: 'default', deleteTime: 'after', retries: 3, traverse: true, resumeListing: true },
      ...{ checkers: 16, maxConnections: 512, modifyWindow: 1, cutoffMode: 'hard' },
    });
    expect(parseJob('watch', PLACES)).toMatchObject({ interval: 30_000, checkDestination: 86_400_000 });
    expect(parseJob('check', PLACES).maxMemory).toBe(256 * 1024 ** 2);
  });

  test('says "off" where a default is not wanted, and keeps what is falsy', () => {
    const off = { timeout: 'off', maxMemory: 'off', traverse: false, minSize: 0 };
    expect(parseJob('copy', { ...PLACES, ...off })).toMatchObject(off);
    expect(() => parseJob('copy', { ...PLACES, retries: 'off' })).toThrow('retries');
  });

  test.each(EACH)('of mode %s refuses an option of another mode', (mode) => {
    for (const other of EACH) {
      for (const name of Object.keys(MODES[other]).filter((option) => !(option in MODES[mode]))) {
        expect(() => parseJob(mode, { ...PLACES, [name]: true })).toThrow(`${name}: a ${mode} job has no such option`);
      }
    }
  });

  test('names a wrong field as its reader knows it', () => {
    const nameOf = (field: string): string => `--${field}`;
    expect(() => parseJob('copy', { ...PLACES, retries: 0 }, nameOf)).toThrow('--retries: ');
    expect(() => parseJob('copy', { ...PLACES, bwlimit: [{ minute: 10_080 }] })).toThrow('bwlimit: ');
    expect(() => parseJob('copy', undefined)).toThrow('job: ');
  });
});
