/** Tests: test/cli/program.test.ts */
import { arch, release, type } from 'node:os';
import { VERSION } from '../../version.js';
import { runCommand } from '../context.js';
import { EXIT } from '../exit.js';
import { configOption, type LogFlags, logOptions } from '../options.js';
import type { Program } from '../program.js';

export function addVersion({ root, io, finish }: Program): void {
  const command = root
    .command('version')
    .summary('show the versions of xsync, Node and the system')
    .description('Show the version of xsync, of Node.js and of the operating system, for bug reports.')
    .addHelpText('after', EXAMPLES);
  logOptions(command);
  configOption(command).action(async (flags: LogFlags) => {
    finish(
      await runCommand(io, flags, { bars: false }, async ({ out }) => {
        const facts = [`node: ${process.version}`, `os: ${type()} ${release()}`, `arch: ${arch()}`];
        await out.write(`xsync ${VERSION}\n${facts.map((fact) => `- ${fact}\n`).join('')}`);
        return EXIT.ok;
      }),
    );
  });
}

const EXAMPLES = `
Example:
  xsync version

"xsync --version" prints the version alone.`;
