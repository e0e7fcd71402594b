/** Configures the measured tools and runs one of them. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { bucketOf, type Case } from './cases.js';
import { type Contender, type PeerName, XSYNC } from './contenders.js';
import { type Counters, compile, type Stub } from './stub.js';

const PROGRAM = join(import.meta.dirname, '..', 'bin', 'xsync.js');
const ACCESS_KEY = 'AKTESTAKTESTAKTEST01';
const SECRET_KEY = 'test-secret-of-the-bench';
const REGION = 'us-east-1';
/** Source of copies from disk, which the contenders share: a name beside their folders. */
export const SOURCE = 'in';
/** Destination of copies to disk. */
const DISK = './out';
/** Files that are removed before the next run. */
const FEW = 100;
/** A longer run is considered hung. */
const LONGEST_MS = 20 * 60_000;

export interface Run {
  wallS: number;
  cpuS: number;
  peakRssMiB: number;
  requests: Counters;
}

/** The output of `measure`. */
interface Measured {
  exitCode: number;
  wallS: number;
  userS: number;
  systemS: number;
  peakRssKiB: number;
}

/** Runs tools in a separate folder, without the user's configuration and environment. */
export class Tools {
  readonly #folder: string;
  readonly #stub: Stub;
  /** Folders with the files of earlier runs. */
  #kept = 0;

  constructor(folder: string, stub: Stub) {
    this.#folder = folder;
    this.#stub = stub;
    const remotes = [
      ['src', stub.source],
      ['dst', stub.destination],
    ] as const;
    this.#write(
      'xsync.yaml',
      `remotes:\n${remotes.map(([name, endpoint]) => xsyncRemote(name, endpoint, stub.certificate)).join('')}`,
    );
    this.#write('rclone.conf', remotes.map(([name, endpoint]) => rcloneRemote(name, endpoint)).join(''));
  }

  /** Prepares the runs of one contender: an empty state, or the manifest of a previous run. */
  async prepare(bench: Case, contender: Contender): Promise<void> {
    this.#forget();
    if (contender.manifest) await this.#measure(bench, { ...XSYNC, program: contender.program });
  }

  /** @throws Error: when the tool failed or did not do its work */
  async run(bench: Case, contender: Contender): Promise<Run> {
    if (!contender.manifest) this.#forget();
    this.#clear(bench);
    if (bench.destination === 'disk') touchMemory(bench.source.objects * bench.source.size);
    await this.#stub.reset();
    const { wallS, userS, systemS, peakRssKiB } = await this.#measure(bench, contender);
    const requests = await this.#stub.counters();
    const files = bench.destination === 'disk' ? filesIn(join(this.#folder, DISK)) : 0;
    if (contender.tool !== 'node') mustHaveWorked(bench, requests, files);
    return { wallS, cpuS: userS + systemS, peakRssMiB: peakRssKiB / 1024, requests };
  }

  /**
   * Makes the destination on disk. Many files stay until the end of the bench: ext4 without a journal does not use inodes
   * again that were freed in the last minutes, and looks at each of them for every new file, at the cost of whoever is next.
   */
  #clear({ source }: Case): void {
    const out = join(this.#folder, DISK);
    if (existsSync(out) && source.objects > FEW) renameSync(out, `${out}-${++this.#kept}`);
    else rmSync(out, { recursive: true, force: true });
    mkdirSync(out);
  }

  #write(file: string, text: string): void {
    writeFileSync(join(this.#folder, file), text, { mode: 0o600 });
  }

  #forget(): void {
    rmSync(join(this.#folder, 'state'), { recursive: true, force: true });
  }

  async #measure(bench: Case, contender: Contender): Promise<Measured> {
    const result = join(this.#folder, 'measured.json');
    const { certificate } = this.#stub;
    const child = spawn(compile('measure'), [result, ...commandOf(bench, contender, this.#stub)], {
      cwd: this.#folder,
      env: {
        PATH: process.env.PATH,
        HOME: this.#folder,
        XDG_STATE_HOME: join(this.#folder, 'state'),
        XDG_CACHE_HOME: join(this.#folder, cacheOf(contender)),
        AWS_ACCESS_KEY_ID: ACCESS_KEY,
        AWS_SECRET_ACCESS_KEY: SECRET_KEY,
        AWS_REGION: REGION,
        ...(certificate !== undefined && { AWS_CA_BUNDLE: certificate }),
      },
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: LONGEST_MS,
    });
    const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    if (signal !== null) throw new Error(`ended by ${signal}`);
    const measured = JSON.parse(readFileSync(result, 'utf8')) as Measured;
    if (measured.exitCode !== 0) throw new Error(`exit code ${measured.exitCode}`);
    return measured;
  }
}

/** Each build has its own folder for its compiled code: two that take turns would else compile anew in every run. */
function cacheOf({ program = PROGRAM }: Contender): string {
  return `cache-${program.replaceAll('/', '-')}`;
}

/** The command with its configuration and the two locations in the tool's syntax. */
function commandOf(
  { source, from, destination }: Case,
  { tool, args, program = PROGRAM }: Contender,
  { source: endpoint, certificate }: Stub,
): string[] {
  const ownNames = tool === 'xsync' || tool === 'rclone';
  const place = (remote: string, bucket: string): string => `${ownNames ? `${remote}:` : 's3://'}${bucket}`;
  const origin = from === 'disk' ? join('..', SOURCE) : place('src', bucketOf('src', source));
  const to = destination === 'disk' ? DISK : place('dst', bucketOf('dst', destination ?? { objects: 0, size: 0 }));
  const filled = args.map((arg) => arg.replace(/^SRC/, origin).replace(/^DST/, to));
  switch (tool) {
    case 'xsync':
      return [process.execPath, program, ...filled, ...(args.includes('SRC') ? ['--config', 'xsync.yaml'] : [])];
    case 'rclone':
      return ['rclone', '--config', 'rclone.conf', ...(certificate ? ['--ca-cert', certificate] : []), ...filled];
    case 'node':
      return [process.execPath, ...filled];
    case 'aws':
    case 's5cmd':
      return [tool, '--endpoint-url', endpoint, ...filled];
  }
}

function xsyncRemote(name: string, endpoint: string, certificate?: string): string {
  const trusted = certificate === undefined ? '' : `, ca_cert: "${certificate}"`;
  return `  ${name}: {type: s3, provider: minio, endpoint: "${endpoint}", region: ${REGION}, access_key_id: ${ACCESS_KEY}, secret_access_key: ${SECRET_KEY}${trusted}}\n`;
}

function rcloneRemote(name: string, endpoint: string): string {
  return `[${name}]\ntype = s3\nprovider = Minio\nendpoint = ${endpoint}\nregion = ${REGION}\nforce_path_style = true\naccess_key_id = ${ACCESS_KEY}\nsecret_access_key = ${SECRET_KEY}\n`;
}

/** Whether the tool is installed, and the build of xsync has the option that the contender needs. */
export function canRun({ tool, needs, program = PROGRAM }: Contender, tools: Record<PeerName, Found>): boolean {
  if (tool === 'node') return true;
  if (tool !== 'xsync') return tools[tool].version !== undefined;
  if (needs === undefined) return true;
  const help = execFileSync(process.execPath, [program, 'copy', '--help'], { encoding: 'utf8' });
  return help.includes(`${needs} `);
}

/**
 * The host of a virtual machine may have taken back what is free of its memory. Whoever writes into the page cache then pays for the
 * return of each page, several times the cost of the write. So the pages are used before the run, and freed.
 */
function touchMemory(bytes: number): void {
  execFileSync(process.execPath, ['-e', `Buffer.alloc(${2 * bytes + 512 * 1024 * 1024}, 1)`]);
}

function filesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
}

/** @throws Error: when the tool did less than the case's work */
function mustHaveWorked({ per, source, from, destination }: Case, asked: Counters, files: number): void {
  const copied = per === 'object' || per === 'byte' ? source.objects * source.size : 0;
  const arrived = destination === 'disk' ? files === source.objects : asked.bytesIn === copied;
  const read = from === 'disk' || (asked.bytesOut >= copied && asked.list >= source.objects / 1000);
  if (!read || !arrived) {
    throw new Error(`did not do the work: ${files} files, ${JSON.stringify(asked)}`);
  }
}

/** Arguments that print each tool's version. */
const VERSIONS: Record<PeerName, readonly string[]> = {
  rclone: ['version'],
  aws: ['--version'],
  s5cmd: ['version'],
};

export interface Found {
  /** The first number in the output. */
  version?: string;
  /** Why there is no version. */
  missing?: string;
}

/** Finds the installed tools other than xsync. */
export function findTools(): Record<PeerName, Found> {
  const found = (tool: PeerName): Found => {
    if (!onPath(tool)) return { missing: 'not on the PATH' };
    try {
      const text = execFileSync(tool, VERSIONS[tool], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      return { version: /v?\d+\.\d+\S*/.exec(text)?.[0] ?? 'of unknown version' };
    } catch {
      return { missing: `${tool} ${VERSIONS[tool].join(' ')} fails` };
    }
  };
  return { rclone: found('rclone'), aws: found('aws'), s5cmd: found('s5cmd') };
}

function onPath(tool: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
