/**
 * The demo: `npm run demo`. Keeps the two servers of the quick start running, so that docs/guide.md can be typed as it is
 * on a machine with nothing but a clone. Writes `.demo/`, with the config and the environment for a shell, and removes it
 * at the end (Ctrl-C).
 *
 * XSYNC_DEMO_MOVIE_MIB  size of the large object in MiB (200)
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { startDemo } from './demo/cloud.js';
import { PROJECT } from './quickstart/sandbox.js';

const MiB = 1024 * 1024;
const FOLDER = join(PROJECT, '.demo');
const PID = join(FOLDER, 'pid');

const movieSize = Number(process.env.XSYNC_DEMO_MOVIE_MIB || 200) * MiB;
if (!Number.isInteger(movieSize) || movieSize < MiB) {
  console.error('XSYNC_DEMO_MOVIE_MIB must be a whole number of at least 1');
  process.exit(2);
}
if (isRunning()) {
  console.error(`Another demo is running (process ${readFileSync(PID, 'utf8')}).`);
  process.exit(1);
}
// Left by a demo that was killed.
rmSync(FOLDER, { recursive: true, force: true });
const { server, environment, close } = await startDemo(FOLDER, movieSize);
writeFileSync(PID, String(process.pid));

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, async () => {
    await close();
    process.exit(signal === 'SIGINT' ? 0 : 128 + constants.signals[signal]);
  });
}

console.log(`Two servers run on this machine until you press Ctrl-C; their data is then lost:

  virginia   S3 at ${server.s3.endpoint}, with the bucket photos
  shanghai   OSS at ${server.oss.endpoint}, with the empty bucket photos-cn

The config is ${join(FOLDER, 'config.yaml')}. In another terminal, type

  . ${environment}
  xsync size virginia:photos

and continue with docs/guide.md.`);

function isRunning(): boolean {
  if (!existsSync(PID)) return false;
  try {
    return process.kill(Number(readFileSync(PID, 'utf8')), 0);
  } catch {
    return false;
  }
}
