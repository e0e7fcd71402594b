/** --include-tag and --exclude-tag: what is sent, and what a person sees. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Lab, openLab } from './lab.js';

let lab: Lab;

beforeEach(async () => {
  lab = await openLab();
  lab.server.core.s3.createBucket('copy');
});

afterEach(() => lab.close());

const PLACES = ['lab:bucket', 'lab:copy'];
const WEB = ['--include-tag', 'team=web'];

it('asks about the tags of new objects, and shows what they leave out', async () => {
  const put = (key: string, value: string): void => {
    lab.server.core.s3.put('bucket', key, key, { tags: [{ key: 'team', value }] });
  };
  put('a', 'web');
  put('b', 'db');

  const dry = await lab.xsync('copy', ...PLACES, ...WEB, '--dry-run', '-vv');
  expect(dry.err).toContain('skip b  filtered, --include-tag: not tagged team=web');
  expect(dry.err).toContain('Would cost   source: 3 (getTags 2 · head 1)');

  expect((await lab.xsync('copy', ...PLACES, ...WEB)).code).toBe(0);
  expect(lab.server.core.s3.list('copy').map(({ key }) => key)).toEqual(['a']);

  lab.server.requests.reset();
  expect((await lab.xsync('copy', ...PLACES, ...WEB)).code).toBe(0);
  expect(lab.server.requests.counts({ bucket: 'bucket' })).toEqual({ ListObjects: 1 });

  lab.server.requests.reset();
  expect(await lab.xsync('check', ...PLACES, ...WEB)).toMatchObject({ code: 0 });
  expect(lab.server.requests.counts({ bucket: 'bucket' })).toEqual({ ListObjects: 1, GetObjectTagging: 1 });
  expect((await lab.xsync('check', ...PLACES)).code).toBe(1);
});

it.each([
  [['copy', '.', 'lab:copy', ...WEB], '--include-tag: the objects of . have no tags — Leave out --include-tag.'],
  [['check', '.', 'lab:copy', ...WEB], '--include-tag: the objects of . have no tags — Leave out --include-tag.'],
  [['copy', ...PLACES, '--exclude-tag', '=x'], '--exclude-tag: "=x" has a tag without a key'],
  [['copy', ...PLACES, ...WEB, '--versions'], '--include-tag cannot be combined with --versions'],
  [['copy', ...PLACES, '--recheck-tags'], '--recheck-tags means nothing without --include-tag or --exclude-tag'],
  [
    ['sync', ...PLACES, ...WEB, '--delete-excluded', '--delete-before'],
    '--include-tag and --delete-excluded delete only after all tags are known — Leave out --delete-before.',
  ],
])('%j is refused', async (args, message) => {
  const { code, err } = await lab.xsync(...args);
  expect(err).toContain(message);
  expect(code).toBe(2);
});
