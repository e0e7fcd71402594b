/** `--storage-class` and `storage_classes` in the config, as a user has them. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { expectComplaint } from './complaint.js';
import { Lab } from './harness.js';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

test('a class that the destination does not have is refused before anything is sent', async () => {
  const source = lab.east.bucket();
  source.put('a', 'x');
  const dest = lab.shanghai.bucket();
  const refused = await lab.run(['copy', source.at(), dest.at(), '--storage-class', 'Achive']);
  expectComplaint(refused, 'usage', 'did you mean "Archive"?', 'Use keep, map, or one of Standard, IA, Archive');
  expect(refused.code).toBe(2);
  const disk = await lab.run(['copy', source.at(), lab.path('out'), '--storage-class', 'GLACIER']);
  expectComplaint(disk, 'usage', 'has no storage classes', 'mit --storage-class');
  expect([...source.requests(), ...dest.requests()].filter(({ kind }) => kind !== 'ListObjects')).toEqual([]);
});

test.each(['copy', 'sync', 'move'])(
  '%s maps classes, by the table of the route first, also in workers',
  async (command) => {
    const source = lab.east.bucket();
    for (const storageClass of ['STANDARD_IA', 'GLACIER_IR', 'INTELLIGENT_TIERING', 'STANDARD']) {
      source.put(storageClass, storageClass, { storageClass });
    }
    const dest = lab.shanghai.bucket();
    const config = lab.path('classes.yaml');
    const { remotes } = JSON.parse(await readFile(join(lab.directory, 'config/xsync/config.yaml'), 'utf8'));
    const route = { from: 'east', to: 'shanghai', classes: { intelligent_tiering: 'IA' } };
    await writeFile(config, JSON.stringify({ remotes, storage_classes: [route] }), { mode: 0o600 });
    const how = ['--storage-class', 'map', '--config', config, '--workers', '2'];
    const outcome = await lab.run([command, source.at(), dest.at(), ...how]);
    expect(outcome.code, outcome.stderr).toBe(0);
    const classes = ['STANDARD_IA', 'GLACIER_IR', 'INTELLIGENT_TIERING', 'STANDARD'].map(
      (k) => dest.get(k)?.storageClass,
    );
    expect(classes).toEqual(['IA', 'IA', 'IA', 'Standard']);
  },
);

test("a remote's storage_class is for what --storage-class gives no class", async () => {
  const source = lab.east.bucket();
  source.put('kept', 'x', { storageClass: 'STANDARD' });
  source.put('lost', 'x', { storageClass: 'STANDARD_IA' });
  const set = { XSYNC_CONFIG_SHANGHAI_STORAGE_CLASS: 'IA' };
  const classes = async (...how: string[]) => {
    const dest = lab.shanghai.bucket();
    const outcome = await lab.run(['copy', source.at(), dest.at(), ...how], set);
    expect(outcome.code, outcome.stderr).toBe(0);
    return [dest.get('kept')?.storageClass, dest.get('lost')?.storageClass];
  };
  expect(await classes()).toEqual(['IA', 'IA']);
  expect(await classes('--storage-class', 'keep')).toEqual(['Standard', 'IA']);
  expect(await classes('--storage-class', 'Archive')).toEqual(['Archive', 'Archive']);
});
