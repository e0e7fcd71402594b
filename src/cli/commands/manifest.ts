/** Tests: test/e2e/manifest.test.ts */
import { type Command, Option } from 'commander';
import { XsyncError } from '../../model/error.js';
import { type Context, runCommand } from '../context.js';
import { choice, flag, value } from '../define.js';
import { configOption, knownManifestOption, linkOption, logOptions, networkOptions } from '../options.js';
import type { Program } from '../program.js';
import type { ExportFlags, InfoFlags } from './manifest-show.js';
import type { RebuildFlags, StoreFlags } from './manifest-stores.js';
import { PAIR_ARGUMENTS, type PairFlags } from './pairs.js';

export function addManifest({ root, io, finish }: Program): void {
  const group = root
    .command('manifest')
    .summary('inspect, verify, rebuild, export and forget manifests')
    .description(
      'The manifest of a pair is a file with the ETags that both stores returned for each copied object. It saves ' +
        'comparisons; losing it loses no objects.',
    )
    .usage('<command> …');
  group.commandsGroup('Commands:');
  group.helpCommand(false);
  group.addHelpOption(new Option('-h, --help', 'show this help').helpGroup('General:'));

  const subcommand = <F extends PairFlags & { json?: true }>(
    usage: string,
    description: string,
    body: (context: Context, flags: F, source: string | undefined, destination: string | undefined) => Promise<number>,
    extend: (command: Command) => void,
  ): void => {
    const command = group.command(usage).description(description);
    knownManifestOption(command);
    extend(command);
    logOptions(command);
    configOption(command).action(async (source?: string, destination?: string) => {
      const flags = command.opts<F>();
      const { json: _, ...log } = flags;
      finish(await runCommand(io, log, { bars: false }, (context) => body(context, flags, source, destination)));
    });
  };
  const asJson = (command: Command): Command => flag(command, '--json', 'print JSON (docs/json.md)');
  const network = (command: Command): Command => networkOptions(linkOption(command));

  subcommand<InfoFlags>(
    `info ${PAIR_ARGUMENTS}`,
    'Show a summary of a manifest; without paths, list the manifests on this machine.',
    async (...given) => (await import('./manifest-show.js')).showInfo(...given),
    asJson,
  );
  subcommand<StoreFlags>(
    'verify <source> <destination>',
    'Check the file, and its rows against both listings. Exits with 1 if they disagree.',
    async (context, flags, source = '', destination = '') =>
      (await import('./manifest-stores.js')).verify(context, flags, source, destination),
    (command) => network(asJson(command)),
  );
  subcommand<RebuildFlags>(
    'rebuild <source> <destination>',
    'Rebuild the manifest from both sides without copying. The old file is kept under a dated name.',
    async (context, flags, source = '', destination = '') =>
      (await import('./manifest-stores.js')).rebuild(context, flags, source, destination),
    (command) => {
      flag(command, '--claim', 'mark matching objects as put there by xsync, so that sync may delete them');
      network(asJson(command));
    },
  );
  subcommand<PairFlags>(
    `forget ${PAIR_ARGUMENTS}`,
    'Remove the manifest of a pair, with its failed list. Objects stay on both sides; the next run compares them all.',
    async (...given) => (await import('./manifest-show.js')).forget(...given),
    () => {},
  );
  subcommand<ExportFlags>(
    `export ${PAIR_ARGUMENTS}`,
    'Write the rows of a manifest, one per line, ordered by key.',
    async (...given) => (await import('./manifest-show.js')).exportRows(...given),
    (command) => {
      choice(command, '--format <format>', 'output format', ['json', 'csv'], 'json');
      value(command, '-o, --output <file>', 'write to FILE (default: standard output)', (_, text) => {
        if (text !== '') return text;
        throw new XsyncError('usage', '--output: no file is named', { subject: '--output' });
      });
    },
  );
}
