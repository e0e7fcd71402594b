/** Metadata, headers and permissions to local disk and back, and objects of kinds that the destination does not have. */
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Lab, summaryOf } from './harness.js';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

const HEADERS = { 'content-type': 'text/x-own', 'cache-control': 'no-cache', 'content-language': 'de' };
const METADATA = { project: 'alps', mode: '100600' };

test.each([[], ['--local-xattrs']])(
  'a store to disk and back gives the same headers and metadata: %j',
  async (...options) => {
    const [from, tree, back] = [lab.east.bucket(), lab.path(), lab.shanghai.bucket()];
    from.put('d/a.txt', '12345', { headers: HEADERS, metadata: METADATA, mtimeMs: 1_600_000_000_000 });
    const down = await lab.run(['copy', from.at(), tree, ...options]);
    expect(down.code, down.stderr).toBe(0);
    expect((await stat(join(tree, 'd/a.txt'))).mtimeMs).toBe(1_600_000_000_000);
    expect((await lab.run(['copy', tree, back.at(), ...options])).code).toBe(0);
    expect(back.get('d/a.txt')).toMatchObject({ headers: HEADERS, metadata: { ...METADATA, mtime: '1600000000' } });
  },
);

test('permissions go from disk to disk, and through a store, where they are asked for', async () => {
  const [tree, bucket] = [lab.path(), lab.east.bucket()];
  await mkdir(tree);
  await writeFile(join(tree, 'a'), '1');
  await chmod(join(tree, 'a'), 0o4711);
  const modeAt = async (folder: string) => ((await stat(join(folder, 'a'))).mode & 0o7777).toString(8);
  const [direct, down, special] = [lab.path(), lab.path(), lab.path()];
  const mode = ['--local-permissions', 'mode'];
  expect((await lab.run(['copy', tree, direct, ...mode])).code).toBe(0);
  expect((await lab.run(['copy', tree, bucket.at(), '--local-permissions', 'all'])).code).toBe(0);
  expect(bucket.get('a')?.metadata).toMatchObject({ mode: '104711', uid: String(process.getuid?.()) });
  expect((await lab.run(['copy', bucket.at(), down, ...mode])).code).toBe(0);
  expect((await lab.run(['copy', bucket.at(), special, '--local-permissions', 'all'])).code).toBe(0);
  expect([await modeAt(direct), await modeAt(down), await modeAt(special)]).toEqual(['711', '711', '4711']);
  await chmod(join(tree, 'a'), 0o640);
  const again = await lab.run(['copy', tree, direct, ...mode, '--attributes', 'compare', '--json']);
  expect([again.code, summaryOf(again).copied.objects, await modeAt(direct)]).toEqual([0, 1, '640']);
});

test('an appendable object arrives as an ordinary one, which is said', async () => {
  const from = lab.shanghai.bucket();
  from.put('log', '12345');
  const log = from.get('log');
  if (log) log.type = 'Appendable';
  for (const to of [lab.east.bucket(), lab.shanghai.bucket()]) {
    const run = await lab.run(['copy', from.at(), to.at(), '--json', '--fidelity', 'strict']);
    expect(run.code, run.stderr).toBe(0);
    expect([to.read('log').toString(), to.get('log')?.type === 'Appendable']).toEqual(['12345', false]);
    expect(summaryOf(run).fidelity).toMatchObject({ mapped: { type: 1 } });
    expect(summaryOf(await lab.run(['copy', from.at(), to.at(), '--json'])).copied.objects).toBe(0);
  }
});
