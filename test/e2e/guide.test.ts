/** docs/guide.md, command by command as typed, against the demo; and `npm run demo` itself. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Demo, startDemo } from '../../examples/demo/cloud.js';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const MiB = 1024 * 1024;
const MINUTE = 60_000;

interface Typed {
  command: string;
  /** Lines that follow the command; `…` stands for any. */
  shown: string[];
}

/** A block without a command shows what the last one prints after Ctrl-C. */
const COMMANDS = commandsOf(readFileSync(join(PROJECT, 'docs', 'guide.md'), 'utf8'));

function commandsOf(text: string): Typed[] {
  const typed: Typed[] = [];
  for (const [, block = ''] of text.matchAll(/^```console\n(.*?)^```/gms)) {
    for (const line of block.trimEnd().split('\n')) {
      if (line.startsWith('$ ')) typed.push({ command: line.slice(2), shown: [] });
      else typed.at(-1)?.shown.push(/[█░]/.test(line) || / objects, .*listed/.test(line) ? '…' : line);
    }
  }
  return typed;
}

let folder: string;
let demo: Demo;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'xsync-guide-'));
  demo = await startDemo(join(folder, '.demo'), 64 * MiB);
});
afterAll(async () => {
  await demo.close();
  await rm(folder, { recursive: true, force: true });
});

function start(line: string): { child: ChildProcess; text: () => string } {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('XSYNC_'));
  // Few parts at once, so that some are missing after Ctrl-C.
  const env = { ...Object.fromEntries(own), NO_COLOR: '1', XSYNC_PART_CONCURRENCY: '2' };
  // In a group of its own, which Ctrl-C reaches as it does from a terminal.
  const child = spawn('sh', ['-c', `. .demo/env.sh\n${line}`], { cwd: folder, env, detached: true });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      said += part;
    });
  }
  // Most commands read nothing.
  child.stdin.on('error', () => {}).end('a secret\n');
  return { child, text: () => said };
}

/** Whatever differs from run to run becomes #: numbers, IDs and units. */
function alike(text: string): string {
  return text
    .replace(/^\d{4}-\d\d-\d\dT[\d:]+Z [A-Z]+ +/gm, '')
    .replace(/\b[0-9A-F]{32}\b/g, '#')
    .replace(/\d[\d,.:]*/g, '#')
    .replace(/# (?:B|KiB|MiB|GiB)\b/g, '# B')
    .replace(/#(?:ms|s|m#s|m)\b/g, '#s')
    .replace(/\s+/g, ' ');
}

function expectShown(text: string, { command, shown }: Typed): void {
  let rest = alike(text);
  for (const piece of shown.join('\n').split(/^…$/m)) {
    const wanted = alike(piece).trim();
    const at = rest.indexOf(wanted);
    expect(at, `${command}\nshows no\n${wanted}\nin\n${rest}`).toBeGreaterThanOrEqual(0);
    rest = rest.slice(at + wanted.length);
  }
}

describe('the guide', () => {
  test.each(COMMANDS)(
    '$command',
    async (typed) => {
      const interrupted = typed.command.includes('--bwlimit');
      // Without a shell that would end by the signal itself.
      const { child, text } = start(`${interrupted ? 'exec ' : ''}${typed.command}`);
      if (interrupted) {
        const match = { protocol: 'oss', kind: 'UploadPart', nth: 3 } as const;
        const kill = () => void process.kill(-(child.pid ?? 0), 'SIGINT');
        demo.server.faults.add({ match, fault: { kind: 'call', run: kill } });
      }
      const [code] = await once(child, 'close');

      expectShown(text(), typed);
      expect(code, text()).toBe(codeOf(typed, interrupted));
    },
    MINUTE,
  );
});

function codeOf({ shown }: Typed, interrupted: boolean): number {
  if (interrupted) return 130;
  if (shown.some((line) => line.startsWith('Finished with failures'))) return 6;
  return shown.some((line) => line.startsWith('xsync: ')) ? 3 : 0;
}

test(
  'npm run demo prints where its config is, and leaves nothing behind after Ctrl-C',
  async () => {
    const env = { ...process.env, XSYNC_DEMO_MOVIE_MIB: '1' };
    const script = join(PROJECT, 'examples', 'demo.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', script], { cwd: PROJECT, env });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      said += part;
    });
    while (!said.includes('docs/guide.md')) await once(child.stdout, 'data');

    expect(said).toContain(`  . ${join(PROJECT, '.demo', 'env.sh')}\n`);
    expect(readFileSync(join(PROJECT, '.demo', 'config.yaml'), 'utf8')).toMatch(/virginia:\n[\s\S]*shanghai:\n/);
    child.kill('SIGINT');
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    expect(existsSync(join(PROJECT, '.demo'))).toBe(false);
  },
  MINUTE,
);
