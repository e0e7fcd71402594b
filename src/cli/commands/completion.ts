/** Tests: test/cli/program.test.ts */
import { Argument } from 'commander';
import { runCommand } from '../context.js';
import { EXIT } from '../exit.js';
import { configOption, type LogFlags, logOptions } from '../options.js';
import type { Program } from '../program.js';
import { COMPLETIONS, isShell } from '../render/completion.js';

export function addCompletion({ root, io, finish }: Program): void {
  const command = root
    .command('completion')
    .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(Object.keys(COMPLETIONS)))
    .summary('print a completion script for your shell')
    .description('Print a script that completes commands, options and the names of remotes: for bash, zsh or fish.')
    .addHelpText('after', EXAMPLES);
  logOptions(command);
  configOption(command).action(async (shell: string, flags: LogFlags) => {
    finish(
      await runCommand(io, flags, { bars: false }, async ({ out }) => {
        if (isShell(shell)) await out.write(COMPLETIONS[shell](root));
        return EXIT.ok;
      }),
    );
  });
}

const EXAMPLES = `
Examples:
  xsync completion bash > ~/.local/share/bash-completion/completions/xsync
  xsync completion zsh > "\${fpath[1]}/_xsync"
  xsync completion fish > ~/.config/fish/completions/xsync.fish`;
