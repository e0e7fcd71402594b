/** Two folders, copied, synced and compared by a program: `npm run build && npx tsx examples/library.ts`. */
import { mkdir, mkdtemp, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check, copy, isXsyncError, status, sync } from 'xsync';

const folder = await mkdtemp(join(tmpdir(), 'xsync-library-'));
const pair = {
  source: join(folder, 'photos'),
  destination: join(folder, 'mirror'),
  manifest: join(folder, 'pair.db'),
};
try {
  await mkdir(pair.source);
  for (const name of ['ant.jpg', 'bee.jpg', 'cat.jpg', 'notes.txt']) {
    await writeFile(join(pair.source, name), `a picture of ${name}`);
  }

  // Events as they happen, and the summary at the end.
  const run = copy({ ...pair, include: ['*.jpg'] }, { signal: AbortSignal.timeout(60_000) });
  for await (const event of run) {
    if (event.type === 'copied') console.log(`copied ${event.size} bytes, checked by ${event.verifiedBy}`);
  }
  const copied = await run.summary;
  console.log(`copy: ${copied.copied.objects} copied, ${copied.failed.objects} failed`);

  // The summary alone.
  await unlink(join(pair.source, 'cat.jpg'));
  const synced = await sync({ ...pair, maxDelete: { objects: 10 } }).summary;
  console.log(`sync: ${synced.copied.objects} copied, ${synced.deleted.objects} deleted`);

  const { match, differ } = await check({ ...pair, compare: 'download' }).summary;
  console.log(`check: ${match.objects} the same, ${differ.objects} different`);

  const [known] = await status({ manifest: pair.manifest });
  console.log(`status: ${known?.status.history?.percent}% of ${known?.status.history?.ofObjects} objects`);

  // Faults that end a run are thrown, and have a code.
  await copy({ ...pair, transfers: 0 }).summary;
} catch (error) {
  if (!isXsyncError(error, 'usage')) throw error;
  console.log(`${error.code}: ${error.message}`);
} finally {
  await rm(folder, { recursive: true });
}
