/** The tools that are measured: their configuration, and one measured run of one of them. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bucketOf, type Case, type Contender } from './cases.js';
import { type Counters, compile, type Stub } from './stub.js';

const XSYNC = join(import.meta.dirname, '..', 'bin', 'xsync.js');
const ACCESS_KEY = 'AKTESTAKTESTAKTEST01';
const SECRET_KEY = 'test-secret-of-the-bench';

export interface Run {
  wallS: number;
  cpuS: number;
  peakRssMiB: number;
  requests: Counters;
}

/** What `measure` writes. */
interface Measured {
  exitCode: number;
  wallS: number;
  userS: number;
  systemS: number;
  peakRssKiB: number;
}

/** Runs tools in a folder of their own, with nothing of the user's configuration and environment. */
export class Tools {
  readonly #folder: string;
  readonly #stub: Stub;

  constructor(folder: string, stub: Stub) {
    this.#folder = folder;
    this.#stub = stub;
    const remote = (name: string, endpoint: string): [string, string][] => [
      ['xsync.yaml', xsyncRemote(name, endpoint)],
      ['rclone.conf', rcloneRemote(name, endpoint)],
    ];
    const files = new Map([['xsync.yaml', 'remotes:\n']]);
    for (const [file, text] of [...remote('src', stub.source), ...remote('dst', stub.destination)]) {
      files.set(file, (files.get(file) ?? '') + text);
    }
    for (const [file, text] of files) writeFileSync(join(folder, file), text, { mode: 0o600 });
  }

  /** Before the runs of one contender: an empty state, or the manifest of a run that has gone before. */
  async prepare(bench: Case, contender: Contender): Promise<void> {
    this.#forget();
    if (contender.manifest) await this.#measure(bench, contender);
  }

  /** @throws when the tool failed, or did not do its work */
  async run(bench: Case, contender: Contender): Promise<Run> {
    if (!contender.manifest) this.#forget();
    await this.#stub.reset();
    const { wallS, userS, systemS, peakRssKiB } = await this.#measure(bench, contender);
    const requests = await this.#stub.counters();
    mustHaveWorked(bench, contender, requests);
    return { wallS, cpuS: userS + systemS, peakRssMiB: peakRssKiB / 1024, requests };
  }

  #forget(): void {
    rmSync(join(this.#folder, 'state'), { recursive: true, force: true });
  }

  async #measure(bench: Case, { tool, args, label }: Contender): Promise<Measured> {
    const result = join(this.#folder, 'measured.json');
    const source = `src:${bucketOf('src', bench.source)}`;
    const destination = `dst:${bucketOf('dst', bench.destination ?? { objects: 0, size: 0 })}`;
    const filled = args.map((arg) => (arg === 'SRC' ? source : arg === 'DST' ? destination : arg));
    const command = tool === 'xsync' ? [process.execPath, XSYNC] : ['rclone', '--config', 'rclone.conf'];
    const config = tool === 'xsync' && filled.includes(source) ? ['--config', 'xsync.yaml'] : [];
    const child = spawn(compile('measure'), [result, ...command, ...filled, ...config], {
      cwd: this.#folder,
      env: { PATH: process.env.PATH, HOME: this.#folder, XDG_STATE_HOME: join(this.#folder, 'state') },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await once(child, 'exit');
    const measured = JSON.parse(readFileSync(result, 'utf8')) as Measured;
    if (measured.exitCode !== 0) throw new Error(`${bench.name}: ${label} ended with ${measured.exitCode}`);
    return measured;
  }
}

function xsyncRemote(name: string, endpoint: string): string {
  return `  ${name}: {type: s3, provider: other, endpoint: "${endpoint}", region: us-east-1, access_key_id: ${ACCESS_KEY}, secret_access_key: ${SECRET_KEY}}\n`;
}

function rcloneRemote(name: string, endpoint: string): string {
  return `[${name}]\ntype = s3\nprovider = Other\nendpoint = ${endpoint}\nregion = us-east-1\nforce_path_style = true\naccess_key_id = ${ACCESS_KEY}\nsecret_access_key = ${SECRET_KEY}\n`;
}

/** A figure for work that was not done is worse than none. */
function mustHaveWorked({ name, per, source, destination }: Case, { label }: Contender, asked: Counters): void {
  if (per === 'start') return;
  const copied = destination === undefined ? source.objects * source.size : 0;
  const pages = source.objects / 1000;
  if (asked.bytesOut < copied || asked.bytesIn !== copied || asked.list < pages) {
    throw new Error(`${name}: ${label} did not do the work: ${JSON.stringify(asked)}`);
  }
}

/** The first line of `rclone version`, undefined when there is no rclone. */
export function rcloneVersion(): string | undefined {
  try {
    return execFileSync('rclone', ['version'], { encoding: 'utf8' }).split('\n', 1)[0];
  } catch {
    return undefined;
  }
}
