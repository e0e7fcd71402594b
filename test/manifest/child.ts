import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export interface Child {
  pid: number;
  lines: AsyncIterator<string>;
  /** SIGKILL, and waits until the process is gone. */
  kill(): Promise<void>;
}

/** Runs `children/<name>.ts` in a process of its own, which the test's end kills. */
export function startChild(name: string, file: string): Child {
  const script = fileURLToPath(new URL(`./children/${name}.ts`, import.meta.url));
  const child: ChildProcessByStdio<null, Readable, null> = spawn(process.execPath, ['--import', 'tsx', script, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = once(child, 'exit');
  const kill = async () => {
    child.kill('SIGKILL');
    await gone;
  };
  onTestFinished(kill);
  return { pid: child.pid ?? 0, lines: createInterface(child.stdout)[Symbol.asyncIterator](), kill };
}
