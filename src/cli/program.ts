/** Tests: test/cli/main.test.ts */
import type { Command } from 'commander';
import type { Io } from './context.js';

/** What a command needs to register itself. It passes its exit code to `finish`. */
export interface Program {
  root: Command;
  io: Io;
  finish: (exitCode: number) => void;
}
