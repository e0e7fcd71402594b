/**
 * Measures `watch --mirror` while both sides are written to: whether both end equal, how long that takes after the last
 * change, and whether it copies what it has written itself. Each event is sent twice.
 * `npx tsx bench/mirror.ts --minutes 5 --rate 20`
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from '../test/support/server/index.js';
import { optionsFrom } from './arguments.js';
import { remotesOf } from './watch/remotes.js';
import { listen } from './watch/told.js';

const values = optionsFrom(import.meta.url, {
  options: {
    minutes: { type: 'string', default: '5' },
    /** Changes per second on each side. */
    rate: { type: 'string', default: '20' },
    interval: { type: 'string', default: '10s' },
    /** The folder of bin/xsync.js and dist. */
    program: { type: 'string', default: join(import.meta.dirname, '..') },
  },
});
const SECRET = 'a secret for the bench only';
const KEYS = 2000;
/** Deletes per ten changes; the rest are writes. */
const DELETES = 1;
const GIVE_UP_MS = 120_000;

type Side = 's3' | 'oss';
const SIDES: readonly Side[] = ['s3', 'oss'];
const BUCKET = 'mirrored';

const folder = mkdtempSync(join(tmpdir(), 'xsync-mirror-'));
const env = { ...process.env, HOME: folder, XDG_STATE_HOME: folder, XSYNC_EVENTS_SECRET: SECRET };
const server = await startServer({ oss: { pathStyle: true } });
const { core } = server;
let watch: ChildProcess | undefined;
let address = '';
let made = 0;
let copied = 0;
let echoes = 0;
/** Events whose connection was closed: the watch takes a limited number of them at once. */
let refused = 0;
try {
  for (const side of SIDES) core[side].createBucket(BUCKET);
  const config = join(folder, 'config.yaml');
  writeFileSync(config, remotesOf(server), { mode: 0o600 });
  const pair = [`east:${BUCKET}`, `shanghai:${BUCKET}`];
  const options = [
    '--mirror',
    '--config',
    config,
    '--interval',
    values.interval,
    '--events',
    ':0/events',
    '-v',
    '--json',
  ];
  watch = spawn(process.execPath, [join(values.program, 'bin/xsync.js'), 'watch', ...pair, ...options], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const told = listen(watch);
  await told.until('"waiting"');
  address = /http:\/\/127\.0\.0\.1:\d+\/events/.exec(told.text)?.[0] ?? '';

  const started = performance.now();
  const rate = 2 * Number(values.rate);
  for (let next = 0; next < Number(values.minutes) * 60 * rate; next++) {
    const due = started + (1000 * next) / rate;
    if (due > performance.now()) await sleep(due - performance.now());
    // Before the next change, which may replace what has just been copied.
    look();
    change(next % 2 === 0 ? 's3' : 'oss');
  }
  const quiet = performance.now();
  while (different() > 0 && performance.now() - quiet < GIVE_UP_MS) {
    await sleep(50);
    look();
  }
  look();
  const seconds = ((performance.now() - quiet) / 1000).toFixed(1);
  const conflicts = core.s3.list(BUCKET).filter(({ key }) => key.includes('.conflict')).length;
  console.log(
    `${made} changes, ${refused} of ${2 * made} events refused, ${copied} PUTs by xsync, ${echoes} of what that side had written itself; ` +
      `${different()} keys differ ${seconds} s after the last change (interval ${values.interval}); ` +
      `${core.s3.list(BUCKET).length} objects, ${conflicts} of them kept from conflicts`,
  );
} finally {
  watch?.kill('SIGTERM');
  if (watch) await new Promise((resolve) => watch?.once('close', resolve));
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

function change(side: Side): void {
  const key = `objects/${Math.floor(Math.random() * KEYS)}`;
  const deletes = Math.random() * 10 < DELETES;
  if (deletes && !core[side].get(BUCKET, key)) return;
  made++;
  if (deletes) core[side].delete(BUCKET, key);
  else core[side].put(BUCKET, key, Buffer.from(JSON.stringify({ side, made }).padEnd(1024)), {});
  const eventName = deletes ? 'ObjectRemoved:Delete' : 'ObjectCreated:Put';
  for (let twice = 0; twice < 2; twice++) tell(eventName, key);
}

/** In S3's format, which the watch takes from both sides. */
function tell(eventName: string, key: string): void {
  const object = { key: encodeURIComponent(key) };
  const eventTime = new Date().toISOString();
  const body = JSON.stringify({ Records: [{ eventName, eventTime, s3: { bucket: { name: BUCKET }, object } }] });
  const headers = { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json' };
  request(address, { method: 'POST', headers }, (answer) => answer.resume())
    .on('error', () => refused++)
    .end(body);
}

/** Counts the requests since the last call: those to write are xsync's own, since changes are made behind the server. */
function look(): void {
  const { requests } = server;
  for (const { kind, protocol, key, status } of requests.entries) {
    if (status === 0 || kind !== 'PutObject' || (protocol !== 's3' && protocol !== 'oss')) continue;
    copied++;
    if (!core[protocol].get(BUCKET, key)) continue;
    const { side } = JSON.parse(core[protocol].read(BUCKET, key).toString()) as { side: Side };
    if (side === protocol) echoes++;
  }
  requests.entries = requests.entries.filter(({ status }) => status === 0);
}

function different(): number {
  const left = new Set(core.oss.list(BUCKET).map(({ key }) => key));
  let count = 0;
  for (const { key } of core.s3.list(BUCKET)) {
    if (!left.delete(key) || !core.oss.read(BUCKET, key).equals(core.s3.read(BUCKET, key))) count++;
  }
  return count + left.size;
}
