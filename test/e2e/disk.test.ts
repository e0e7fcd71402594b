/** A destination on disk that fills up: the run says so and ends, no file is torn, and with more room it goes on. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { expectOnDisk, filesOf, leftoversOf } from './compare.js';
import { smallDisk } from './disk.js';
import { objects } from './faults.js';
import { seed } from './fixtures.js';
import { Lab } from './harness.js';

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

test.each([
  ['in files of their own', Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`k${n}`, 100_000]))],
  ['in parts', { 'large a': 900_000, 'large b': 900_000, small: 10 }],
])(
  'objects that do not fit (%s): exit 7 and the reason; nothing torn or left over; more room, and it goes on',
  async (_how, sizes) => {
    const source = lab.east.bucket();
    const fixtures = objects(sizes);
    seed(source, fixtures);
    const root = lab.path('disk');
    await mkdir(root);
    const disk = smallDisk(root);
    try {
      const args = ['copy', source.at(), root, '--json', '--part-size', '128K', '--transfers', '4'];
      const full = await lab.run(args, disk.env);
      expect(full.code, full.stderr).toBe(7);
      expect(full.stderr).toMatch(/disk or the quota is full/);
      const bytes = new Map(fixtures.map((fixture) => [fixture.key, fixture.bytes]));
      for (const file of await filesOf(root)) {
        expect((await readFile(join(root, file))).equals(bytes.get(file) ?? Buffer.from('nothing')), file).toBe(true);
      }
      expect((await leftoversOf(root)).filter((path) => path.startsWith('tmp/'))).toEqual([]);

      disk.grow();
      const rest = await lab.run(args, disk.env);
      expect(rest.code, rest.stderr).toBe(0);
      await expectOnDisk(root, fixtures);
    } finally {
      disk.remove();
    }
  },
);
