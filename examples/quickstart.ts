/**
 * The quick start: `npm ci && npm run quickstart`.
 *
 * Starts an S3 and an OSS server inside this process, then runs the built xsync as a user would. Real files and one
 * large object go local → S3 → OSS. The second run is killed with SIGKILL and resumed. At the end every byte is read
 * back through the vendors' SDKs. Exits with 0 only if every check passed. Leaves nothing behind.
 *
 * XSYNC_QUICKSTART_FILES    number of files (3000; limited by the contents of node_modules and 64 MiB in total)
 * XSYNC_QUICKSTART_BIG_MIB  size of the large object in MiB (256; at least 64, so that the kill interrupts it)
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { startServer } from '../test/support/server/index.js';
import { configOf } from './quickstart/config.js';
import { copyFiles, writeLarge } from './quickstart/data.js';
import { readBack } from './quickstart/readback.js';
import { PROGRAM, PROJECT, Sandbox } from './quickstart/sandbox.js';

const MiB = 1024 * 1024;
const BUCKET = 'quickstart';
const BIG = 'backup/disk.img';
const UPLOAD = ['copy', 'files', `virginia:${BUCKET}`, '--create-bucket'];
/** Few parts at once, so that some are still missing at the kill, even on a fast machine. */
const CROSS = ['copy', `virginia:${BUCKET}`, `hangzhou:${BUCKET}`, '--create-bucket', '--part-concurrency', '2'];

const startedMs = Date.now();
const fileCount = setting('XSYNC_QUICKSTART_FILES', 3000, 1);
// Real objects are rarely a multiple of a part size, so this one is not either.
const bigSize = setting('XSYNC_QUICKSTART_BIG_MIB', 256, 64) * MiB + 4321;

const sandbox = new Sandbox();
const server = await startServer({ oss: { pathStyle: true } });
try {
  process.exitCode = (await story()) ? 0 : 1;
} catch (error) {
  say('', `The quick start failed: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  await server.close();
}

async function story(): Promise<boolean> {
  const folder = join(sandbox.folder, 'files');
  heading('1', 'Start two clouds on this machine and create data');
  const { files, bytes } = await copyFiles(join(PROJECT, 'node_modules'), join(folder, 'node_modules'), fileCount);
  await writeLarge(join(folder, BIG), bigSize);
  const config = await writeConfig();
  say(
    `S3    ${server.s3.endpoint}   both run inside this process`,
    `OSS   ${server.oss.endpoint}   and lose all data when it ends`,
    `Data  files/node_modules: ${count(files)} real files, ${mib(bytes)}`,
    `      files/${BIG}: one object of ${mib(bigSize)}`,
    '',
  );
  command(`cd ${sandbox.folder}`);
  command(`alias xsync=${PROGRAM}`);
  command('export XSYNC_CONFIG=$PWD/config.yaml XDG_STATE_HOME=$PWD/state');
  command('cat config.yaml');
  process.stdout.write(config);

  heading('2', 'Copy local disk → S3');
  await run(UPLOAD);

  heading('3', 'Copy S3 → OSS, and kill -9 halfway through the large object');
  const arrived = await runKilled();

  heading('4', 'Inspect what the killed run left at the destination');
  await run(['size', `hangzhou:${BUCKET}`]);
  await run(['cleanup', '--dry-run', `hangzhou:${BUCKET}`]);

  heading('5', 'Run the same command again');
  const sentBefore = partsSent();
  await run(CROSS);
  const sentAfterKill = partsSent() - sentBefore;

  heading('6', 'Run it once more, with nothing left to do');
  const requestsBefore = server.requests.entries.length;
  await run(CROSS);
  const idle = server.requests.entries.slice(requestsBefore);

  heading('7', 'Read every byte back, without xsync');
  say('Comparing names and SHA-256: disk, S3 through @aws-sdk/client-s3, OSS through ali-oss …');
  const headsOfBig = server.requests.count('HeadObject', { key: BIG });
  const extraHeads = server.requests.entries.filter(({ kind, key }) => kind === 'HeadObject' && isExtra(key)).length;
  const back = await readBack(folder, BUCKET, server);
  for (const difference of back.differences.slice(0, 20)) say(`DIFFERENT  ${difference}`);

  heading('8', 'Report, as counted by the servers');
  const parts = server.core.oss.get(BUCKET, BIG)?.partSizes?.length ?? 0;
  const spared = parts - sentAfterKill;
  const lists = idle.filter(({ kind }) => kind === 'ListObjects').length;
  const strays = server.core.oss.uploads(BUCKET).length + server.core.s3.uploads(BUCKET).length;
  return report([
    [
      back.differences.length === 0,
      `${count(back.objects)} objects are the same on disk, S3 and OSS (${mib(back.bytes)} read)`,
    ],
    [back.objects === files + 1, `no object is missing, none is extra: ${count(files)} files and ${BIG}`],
    [spared > 0, `${spared} of ${parts} parts were not sent again after the kill (${arrived} had arrived)`],
    [strays === 0, `${strays} multipart uploads are left unfinished`],
    [
      extraHeads === 0,
      `no HEAD for a small object in four runs; ${headsOfBig} for ${BIG}, to verify it by its multipart ETag`,
    ],
    [lists === idle.length, `${idle.length} requests in the run with nothing to do, ${lists} of them LIST`],
    [server.bugs.length === 0, `${seconds(Date.now() - startedMs)} in total`],
  ]);
}

/** Whether a HEAD for this object is extra. An empty object is read with a HEAD in place of a GET, at the same price. */
function isExtra(key: string | undefined): boolean {
  if (key === undefined || key === BIG) return false;
  const isEmpty = server.core.s3.get(BUCKET, key)?.bytes.size === 0;
  return !isEmpty || server.requests.count('GetObject', { key }) > 0;
}

/** Starts the S3 → OSS copy and kills it when half of the large object's parts were sent. Returns how many arrived. */
async function runKilled(): Promise<number> {
  const half = Math.ceil(bigSize / (8 * MiB) / 2);
  command(xsyncLine(CROSS));
  let disarm = (): void => undefined;
  const pid = await sandbox.xsyncKilled(CROSS, (kill) => {
    const match = { protocol: 'oss', kind: 'UploadPart', key: BIG, nth: half } as const;
    disarm = server.faults.add({ match, fault: { kind: 'call', run: kill } });
  });
  disarm();
  const arrived = server.core.oss.uploads(BUCKET)[0]?.parts.size ?? 0;
  say('');
  command(`kill -9 ${pid}`);
  say(`${count(server.core.oss.list(BUCKET).length)} objects and ${arrived} parts of ${BIG} had arrived.`);
  return arrived;
}

function partsSent(): number {
  return server.requests.count('UploadPart', { protocol: 'oss' });
}

async function run(args: readonly string[]): Promise<void> {
  command(xsyncLine(args));
  await sandbox.xsync(args);
}

function xsyncLine(args: readonly string[]): string {
  return `xsync ${args.join(' ')}`;
}

/** Readable only by its owner: xsync refuses secrets that others can read. */
async function writeConfig(): Promise<string> {
  const text = configOf(server, 'hangzhou');
  await writeFile(sandbox.config, text, { mode: 0o600 });
  return text;
}

function report(lines: readonly [held: boolean, text: string][]): boolean {
  for (const [held, text] of lines) say(`${held ? paint('green', '✓') : paint('red', '✗ FAILED:')} ${text}`);
  const verified = lines.every(([held]) => held);
  say(
    '',
    verified
      ? 'Every byte verified. Next: use your own data, with docs/guide.md.'
      : 'The quick start failed: at least one check did not pass.',
  );
  return verified;
}

function setting(name: string, fallback: number, least: number): number {
  const text = process.env[name];
  const value = text === undefined || text === '' ? fallback : Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  console.error(`${name} must be a whole number of at least ${least}, not ${text}`);
  process.exit(2);
}

function heading(number: string, title: string): void {
  say('', paint('bold', `${number}. ${title}`), '');
}

function command(line: string): void {
  say(`${paint('cyan', '$')} ${line}`);
}

function say(...lines: string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

function paint(style: 'bold' | 'cyan' | 'green' | 'red', text: string): string {
  return process.stdout.isTTY && !process.env.NO_COLOR ? styleText(style, text) : text;
}

function count(n: number): string {
  return n.toLocaleString('en');
}

function mib(bytes: number): string {
  return `${(bytes / MiB).toFixed(0)} MiB`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(0)} seconds`;
}
