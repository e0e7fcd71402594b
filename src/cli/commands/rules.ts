/** Tests: test/cli/rules.test.ts */
import { type Command, Option } from 'commander';
import { XsyncError } from '../../model/error.js';
import { type Context, runCommand } from '../context.js';
import { flag, own } from '../define.js';
import { configOption, logOptions, type RulesFlags, reportOptions, rulesOption, sharedOptions } from '../options.js';
import type { Program } from '../program.js';
import type { ImportFlags } from './rules-import.js';
import type { RunFlags } from './ruling.js';

type ListFlags = RulesFlags & { json?: true };

export function addRules({ root, io, finish }: Program): void {
  const rules = root
    .command('rules')
    .summary('list, check and plan rules, and import them')
    .description('Show and check the rules that "xsync run" and "xsync serve" run. See docs/rules.md.')
    .usage('<command> …');
  rules.commandsGroup('Commands:');
  rules.helpCommand(false);
  rules.addHelpOption(new Option('-h, --help', 'show this help').helpGroup('General:'));

  const subcommand = (
    usage: string,
    description: string,
    body: (context: Context, flags: ListFlags, args: readonly string[]) => Promise<void>,
    extend: (command: Command) => void = () => {},
  ): void => {
    const command = rules.command(usage).description(description);
    rulesOption(command);
    extend(command);
    logOptions(command);
    configOption(command).action(async () => {
      const { json, ...flags } = command.opts<ListFlags>();
      const run = async (context: Context): Promise<number> => {
        await body(context, { ...flags, json }, command.args);
        return 0;
      };
      finish(await runCommand(io, flags, { bars: false }, run));
    });
  };

  subcommand(
    'list',
    'List the rules in the order in which they run.',
    async (context, flags) => (await import('./rules-check.js')).listRules(context, flags),
    (command) => flag(command, '--json', 'print JSON, one line per rule'),
  );
  subcommand(
    'check',
    'Check the rules, and show chains and overlaps between them. Loops are errors. Makes no requests.',
    async (context, flags) => (await import('./rules-check.js')).checkRules(context, flags),
  );
  subcommand(
    'import <file>',
    'Write rules that do what the replication configuration of an S3 or OSS bucket does, and show line by line what ' +
      'becomes of it. FILE is the output of "aws s3api get-bucket-replication" or of OSS GetBucketReplication.',
    async (context, flags, [file = '']) => {
      await (await import('./rules-import.js')).importInto(context, sourced(flags), file);
    },
    importOptions,
  );
  addPlan(rules, { root, io, finish });
}

function importOptions(command: Command): void {
  const text = (_option: string, value: string): string => value;
  command.optionsGroup('Importing:');
  own(command, '--source <remote:bucket>', 'the bucket with the configuration, which does not name it', text);
  own(command, '--destination <remote:>', 'remote of the destinations (default: that of --source)', text);
  flag(command, '--replace', 'replace existing rules with the same names');
  own(command, '-n, --dry-run', 'show the rules; write nothing');
}

/** @throws usage */
function sourced(flags: ListFlags & Partial<ImportFlags>): ImportFlags {
  const { source } = flags;
  if (source?.includes(':')) return { ...flags, source };
  throw new XsyncError(
    'usage',
    source === undefined ? '--source is missing' : `--source: "${source}" names no remote`,
    {
      subject: '--source',
      remedy: 'Write --source REMOTE:BUCKET, the bucket with the replication configuration.',
    },
  );
}

function addPlan(rules: Command, { io, finish }: Program): void {
  const plan = rules
    .command('plan [rule...]')
    .description('Show what running the rules would do, and its cost; change nothing.');
  rulesOption(plan);
  sharedOptions(plan);
  reportOptions(plan);
  configOption(plan).action(async (names: string[], flags: Omit<RunFlags, 'parallel'>) => {
    const { runRules } = await import('./ruling.js');
    // One after the other: what is printed is for reading.
    finish(await runRules(io, names, { ...flags, parallel: 1 }, true));
  });
}
