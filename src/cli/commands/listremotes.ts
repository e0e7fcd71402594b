/** Tests: test/cli/program.test.ts */
import { runCommand } from '../context.js';
import { flag } from '../define.js';
import { EXIT } from '../exit.js';
import { configOption, type LogFlags, logOptions } from '../options.js';
import type { Program } from '../program.js';

type ListremotesFlags = LogFlags & { config?: string; long?: true };

export function addListremotes({ root, io, finish }: Program): void {
  const command = root
    .command('listremotes')
    .summary('list the names of the remotes')
    .description('List the remotes of the config file and of the environment, one per line, with a colon.')
    .optionsGroup('Listing:')
    .addHelpText('after', EXAMPLES);
  flag(command, '-l, --long', 'also print the type');
  logOptions(command);
  configOption(command).action(async (flags: ListremotesFlags) => {
    finish(
      await runCommand(io, flags, { bars: false }, async ({ out }) => {
        const { loadConfig } = await import('../../config/load.js');
        const { remotes, unset } = await loadConfig({ file: flags.config, env: io.env });
        const rows = [...Object.entries(remotes), ...Object.keys(unset).map((name) => [name, undefined] as const)];
        const width = Math.max(0, ...rows.map(([name]) => name.length + 1));
        const lines = rows
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, remote]) =>
            flags.long ? `${`${name}:`.padEnd(width)} ${remote?.type ?? 'unusable'}` : `${name}:`,
          );
        await out.write(lines.map((line) => `${line}\n`).join(''));
        return EXIT.ok;
      }),
    );
  });
}

const EXAMPLES = `
Examples:
  xsync listremotes
  xsync listremotes --long`;
