/**
 * Both ends of a bridge on this host: `npm run bridge:demo`. Two test servers with different credentials stand for the two
 * clouds. 200 objects and one of 40 MiB cross; the pulling end is killed half-way and started again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startServer } from '../test/support/server/index.js';

const XSYNC = fileURLToPath(new URL('../bin/xsync.js', import.meta.url));
const RESOLVER = new URL('../test/support/resolver.mjs', import.meta.url).href;
const OBJECTS = 200;
const folder = mkdtempSync(join(tmpdir(), 'xsync-bridge-'));
const secret = randomBytes(32).toString('hex');

const near = await startServer({ s3: { accessKeyId: 'AKIANEAR', secretAccessKey: 'of-the-source' } });
const far = await startServer({ oss: { accessKeyId: 'LTAIFAR', accessKeySecret: 'of-the-destination' } });
near.core.s3.createBucket('photos');
far.core.oss.createBucket('photos-cn');
const large = randomBytes(40 * 2 ** 20);
for (let n = 0; n < OBJECTS; n++) near.core.s3.put('photos', `2026/${n}.jpg`, `photo ${n}`);
near.core.s3.put('photos', 'movie.mp4', large);

const { s3 } = near;
const { oss } = far;
const virginia = { type: 's3', provider: 'other', endpoint: s3.endpoint, region: s3.region, force_path_style: true };
const source = home('push', {
  virginia: { ...virginia, access_key_id: s3.accessKeyId, secret_access_key: s3.secretAccessKey },
});
const keys = { access_key_id: oss.accessKeyId, secret_access_key: oss.accessKeySecret };
const destination = home('pull', { shanghai: { type: 'oss', endpoint: oss.endpoint, region: oss.region, ...keys } });

try {
  const pull = ['bridge', 'pull', 'shanghai:photos-cn', '--allow-private', '127.0.0.1', '--part-size', '5M'];
  let end = start('pull', [...pull, '--listen', '127.0.0.1:0'], destination);
  const url = await said(end, /receiving tickets at (http:\S+?),/);
  const push = start('push', ['bridge', 'push', 'virginia:photos', url, '--backfill', '--once'], source);
  while (copied() < OBJECTS / 4) await sleep(10);
  end.kill('SIGKILL');
  console.log(`      kill -9 of the pulling end: ${copied()} of ${OBJECTS + 1} objects have arrived`);
  end = start('pull', [...pull, '--listen', new URL(url).host], destination);
  const code = await new Promise((resolve) => push.on('close', resolve));
  end.kill('SIGTERM');
  await new Promise((resolve) => end.on('close', resolve));
  const same = far.core.oss.read('photos-cn', 'movie.mp4').equals(large);
  console.log(
    `      push ended with ${code}: ${copied()} objects have arrived, and movie.mp4 is ${same ? '' : 'not '}the same`,
  );
  process.exitCode = code === 0 && same && copied() === OBJECTS + 1 ? 0 : 1;
} finally {
  await Promise.all([near.close(), far.close()]);
  rmSync(folder, { recursive: true });
}

/** A machine of its own, with the config of one side. */
function home(name: string, remotes: object): NodeJS.ProcessEnv {
  const path = join(folder, name);
  mkdirSync(join(path, 'xsync'), { recursive: true });
  writeFileSync(join(path, 'xsync/config.yaml'), JSON.stringify({ remotes }), { mode: 0o600 });
  const folders = { HOME: path, XDG_CONFIG_HOME: path, XDG_STATE_HOME: path };
  return { PATH: process.env.PATH, ...folders, XSYNC_BRIDGE_SECRET: secret, NODE_OPTIONS: `--import=${RESOLVER}` };
}

function start(name: string, args: string[], env: NodeJS.ProcessEnv): ChildProcess {
  console.log(`${name}: xsync ${args.join(' ')}`);
  const child = spawn(process.execPath, [XSYNC, ...args], { env, stdio: ['ignore', 'inherit', 'pipe'] });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.trim().split('\n')) console.log(`${name}: ${line.replace(/^\S+Z NOTICE /, '')}`);
  });
  return child;
}

function said(child: ChildProcess, what: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stderr?.on('data', (text: string) => {
      const [, found] = what.exec(text) ?? [];
      if (found !== undefined) resolve(found);
    });
    child.on('close', (code) => reject(new Error(`it ended with ${code}`)));
  });
}

function copied(): number {
  return far.core.oss.list('photos-cn').length;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
