/** The manual page xsync(1), made from the command tree, in the macros of man(7). Tests: test/cli/program.test.ts */
import type { Command, Option } from 'commander';
import { EXIT } from '../exit.js';

/** @param version shown in the footer */
export function manPage(root: Command, version: string): string {
  const help = root.createHelp();
  const commands = help
    .visibleCommands(root)
    .filter(({ commands: below, options }) => below.length + options.length > 0);
  return `${[
    `.TH XSYNC 1 "" "xsync ${version}" "User Commands"`,
    '.SH NAME',
    `xsync \\- ${text('copy and mirror objects between object stores and local disk, and prove that every byte arrived')}`,
    '.SH SYNOPSIS',
    `.B xsync\n${text('<command> [options] <path>…')}`,
    '.SH DESCRIPTION',
    text(root.description()),
    '.PP',
    text(
      'Options may stand before or after the command. Each can also be set in the environment: --part-size as XSYNC_PART_SIZE.',
    ),
    '.SH OPTIONS',
    ...help.visibleOptions(root).flatMap((option) => item(option.flags, meaningOf(option))),
    '.SH PATHS',
    ...PATHS.flatMap(([path, meaning]) => item(path, meaning)),
    '.SH COMMANDS',
    ...commands.flatMap((command) => commandLines(command, [])),
    '.SH EXIT STATUS',
    ...Object.entries(EXIT_TEXT).flatMap(([code, meaning]) => item(code, meaning)),
    '.SH FILES',
    ...item('~/.config/xsync/config.yaml', 'the remotes; --config and XSYNC_CONFIG name another file'),
    ...item('~/.local/state/xsync/', 'the manifest of each pair'),
    '.SH SEE ALSO',
    text('The documentation in the folder docs of the package.'),
  ].join('\n')}\n`;
}

const PATHS: readonly [string, string][] = [
  ['remote:bucket/prefix', 'a remote in the config file'],
  ['s3://bucket/prefix', 'AWS S3, with the usual AWS credentials and region'],
  ['oss://bucket/prefix', 'Alibaba Cloud OSS, with OSS_ACCESS_KEY_ID etc.'],
  ['./folder', 'local disk'],
];

const EXIT_TEXT: Readonly<Record<number, string>> = {
  [EXIT.ok]: 'everything was done, or there was nothing to do',
  [EXIT.other]: 'check found differences; or an error of no other kind',
  [EXIT.usage]: 'wrong usage',
  [EXIT.directoryNotFound]: 'bucket or folder not found',
  [EXIT.objectNotFound]: 'object not found',
  [EXIT.temporary]: 'temporary: the same command may succeed later',
  [EXIT.objectsFailed]: 'some objects failed permanently',
  [EXIT.fatal]: 'fatal: credentials, config, permissions, full disk; or a guard refused to delete',
  [EXIT.maxTransfer]: '--max-transfer or --max-cost reached',
  [EXIT.nothingTransferred]: 'nothing was transferred, with --error-on-no-transfer',
  [EXIT.maxDuration]: '--max-duration reached',
  [EXIT.interrupted]: 'interrupted by Ctrl-C',
};

function commandLines(command: Command, above: string[]): string[] {
  const words = [...above, command.name()];
  const places = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '…' : ''}`;
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  const options = command.createHelp().visibleOptions(command);
  const below = command.commands.flatMap((each) => commandLines(each, words));
  if (below.length > 0 && places.length === 0) return below;
  return [
    `.SS ${text(`xsync ${[...words, ...places].join(' ')}`)}`,
    text(command.description()),
    ...options.flatMap((option) => item(option.flags, meaningOf(option))),
    ...below,
  ];
}

function meaningOf({ description, argChoices, defaultValue, defaultValueDescription, required }: Option): string {
  const choices = argChoices ? `: ${argChoices.join(', ')}` : '';
  const shown = defaultValueDescription ?? (required && defaultValue !== undefined ? String(defaultValue) : undefined);
  return `${description}${choices}${shown === undefined ? '' : ` (default: ${shown})`}`;
}

function item(term: string, meaning: string): string[] {
  return ['.TP', `\\fB${text(term)}\\fR`, text(meaning)];
}

/** Escaped, so that roff takes no character for its own. */
function text(plain: string): string {
  const escaped = plain
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '\\&...')
    .replaceAll('→', '\\(->')
    .replaceAll('’', "'");
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}
