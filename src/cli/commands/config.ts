/** Tests: test/cli/main.test.ts */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { configHome } from '../../config/home.js';
import type { Config, LoadOptions } from '../../config/load.js';
import { reasonOf } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import { type Context, type Io, runCommand } from '../context.js';
import { flag } from '../define.js';
import { configOption, type LogFlags, logOptions } from '../options.js';
import type { Program } from '../program.js';
import { plural } from '../render/format.js';

type ConfigFlags = LogFlags & { config?: string };

export function addConfig({ root, io, finish }: Program): void {
  const config = root
    .command('config')
    .summary('add, show and remove remotes')
    .description('Manage remotes: names for stores, with their endpoints and credentials.')
    .usage('<command> …');
  config.commandsGroup('Commands:');
  config.helpCommand(false);
  config.addHelpOption(new Option('-h, --help', 'show this help').helpGroup('General:'));

  const subcommand = <F extends ConfigFlags>(
    usage: string,
    description: string,
    body: (context: Context, flags: F, args: string[]) => Promise<void>,
    extend: (command: Command) => void = () => {},
  ): void => {
    const command = config.command(usage).description(description);
    extend(command);
    logOptions(command);
    configOption(command).action(async () => {
      const flags = command.opts<F>();
      const run = async (context: Context): Promise<number> => {
        await body(context, flags, command.args);
        return 0;
      };
      finish(await runCommand(io, flags, { bars: false }, run));
    });
  };

  subcommand('add <name> <setting...>', 'Add a remote. Settings are key=value.', add, (command) => {
    command.optionsGroup('Adding:').addHelpText('after', ADD_HELP);
    flag(command, '--replace', 'replace an existing remote with this name');
  });
  subcommand('show [name]', 'Show remotes with their effective settings, secrets hidden.', show);
  subcommand('list', 'List the names of the remotes.', list);
  subcommand('remove <name>', 'Remove a remote.', remove);
  subcommand('path', 'Show the path of the config file.', async ({ io: { env }, out }, flags) => {
    const { configPath } = await import('../../config/load.js');
    await out.write(`${configPath(loadOptions(flags, env))}\n`);
  });
  subcommand(
    'import [file]',
    'Add the S3 and OSS remotes of an rclone.conf (default: the one rclone uses) or an .ossutilconfig.',
    importAll,
    (command) => {
      command.optionsGroup('Importing:');
      flag(command, '--replace', 'replace existing remotes with the same names');
    },
  );
}

function loadOptions(flags: ConfigFlags, env: NodeJS.ProcessEnv): LoadOptions {
  return { file: flags.config, env };
}

async function load({ io }: Context, flags: ConfigFlags): Promise<Config> {
  const { loadConfig } = await import('../../config/load.js');
  return loadConfig(loadOptions(flags, io.env));
}

async function add(context: Context, flags: ConfigFlags & { replace?: true }, args: string[]): Promise<void> {
  const [{ addRemote }, { configPath }] = await Promise.all([
    import('../../config/edit.js'),
    import('../../config/load.js'),
  ]);
  const [name = '', ...settings] = args;
  const file = configPath(loadOptions(flags, context.io.env));
  await addRemote(file, name, await settingsOf(settings, context.io), { replace: flags.replace === true });
  context.log.say('notice', `Added "${name}" to ${file}`);
}

/** `key=value` each; `key=-` reads the value from a line of standard input, which hides it from history and `ps`. */
async function settingsOf(settings: readonly string[], io: Io): Promise<Record<string, string | boolean | number>> {
  const pairs = settings.map((setting, index): [string, string] => {
    const at = setting.indexOf('=');
    if (at > 0) return [setting.slice(0, at), setting.slice(at + 1)];
    // It may be a secret without its key.
    const shown = /^[a-z_]{1,24}:?$/.test(setting) ? `"${setting}"` : `argument ${index + 2}`;
    throw new XsyncError('usage', `${shown} is no setting`, { remedy: 'write key=value, such as type=s3' });
  });
  const { typedValue } = await import('../../config/environment.js');
  const type = pairs.find(([key]) => key === 'type')?.[1];
  const asked = pairs.some(([, value]) => value === '-') ? await readLines(io.stdin) : [];
  const typed = pairs.map(([key, value]) => [key, typedValue(type, key, value === '-' ? nextLine(asked, key) : value)]);
  return Object.fromEntries(typed) as Record<string, string | boolean | number>;
}

function nextLine(lines: string[], key: string): string {
  const line = lines.shift();
  if (line !== undefined && line !== '') return line;
  throw new XsyncError('usage', `standard input has no line for ${key}`, { subject: key });
}

async function readLines(stdin: NodeJS.ReadableStream): Promise<string[]> {
  let text = '';
  for await (const chunk of stdin) text += String(chunk);
  return text.split(/\r?\n/);
}

async function show(context: Context, flags: ConfigFlags, [name]: string[]): Promise<void> {
  const config = await load(context, flags);
  const { redact } = await import('../../config/redact.js');
  const { remotes } = redact(config);
  const wanted = name === undefined ? Object.keys(remotes) : [name];
  for (const each of wanted) {
    const remote = remotes[each];
    if (remote === undefined) throw unknownRemote(each, config);
    const lines = Object.entries(remote).filter(([, value]) => value !== undefined);
    await context.out.write(`${each}:\n${lines.map(([key, value]) => `  ${key}: ${String(value)}\n`).join('')}`);
  }
}

function unknownRemote(name: string, { path, remotes }: Config): XsyncError {
  const names = Object.keys(remotes);
  return new XsyncError('config', `${path} has no remote "${name}"`, {
    subject: name,
    remedy: names.length > 0 ? `it has ${names.join(', ')}` : 'add one with "xsync config add"',
  });
}

async function list(context: Context, flags: ConfigFlags): Promise<void> {
  const { remotes, unset } = await load(context, flags);
  const known = Object.entries(remotes).map(([name, { type }]) => [name, type] as const);
  const rows = [...known, ...Object.keys(unset).map((name) => [name, 'unusable: see config show'] as const)];
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  const lines = rows.map(([name, what]) => `${name.padEnd(width)}  ${what}\n`);
  await context.out.write(lines.join(''));
}

async function remove({ io: { env }, log }: Context, flags: ConfigFlags, [name = '']: string[]): Promise<void> {
  const [{ removeRemote }, { configPath }] = await Promise.all([
    import('../../config/edit.js'),
    import('../../config/load.js'),
  ]);
  const file = configPath(loadOptions(flags, env));
  await removeRemote(file, name);
  log.say('notice', `Removed "${name}" from ${file}`);
}

async function importAll(
  { io: { env }, log }: Context,
  flags: ConfigFlags & { replace?: true },
  [given]: string[],
): Promise<void> {
  const [{ importConfig }, { addRemote }, { configPath }] = await Promise.all([
    import('../../config/import.js'),
    import('../../config/edit.js'),
    import('../../config/load.js'),
  ]);
  const source = given ?? rcloneConfig(env);
  const file = configPath(loadOptions(flags, env));
  const { remotes, notImported } = importConfig(await readConfigFile(source), source);
  for (const { name, original, settings, notes } of remotes) {
    await addRemote(file, name, settings, { replace: flags.replace === true });
    log.say('notice', `Imported "${original}"${name === original ? '' : ` as "${name}"`}`);
    for (const note of notes) log.say('notice', `  ${note}`);
  }
  for (const { name, reason } of notImported) log.say('notice', `Left out "${name}": ${reason}`);
  log.say('notice', `${plural(remotes.length, 'remote')} in ${file}`);
}

function rcloneConfig(env: NodeJS.ProcessEnv): string {
  return env.RCLONE_CONFIG || join(configHome(env), 'rclone', 'rclone.conf');
}

async function readConfigFile(name: string): Promise<string> {
  try {
    return await readFile(name, 'utf8');
  } catch (error) {
    throw new XsyncError('config', `the config ${name} cannot be read: ${reasonOf(error)}`, {
      subject: name,
      remedy: 'give the file: xsync config import FILE',
      cause: error,
    });
  }
}

const ADD_HELP = `
Examples:
  xsync config add lab type=s3 endpoint=http://127.0.0.1:9000 region=us-east-1 \\
      access_key_id=test secret_access_key=-
  xsync config add shanghai type=oss region=cn-shanghai env_auth=true

A value "-" is read from a line of standard input, which keeps secrets out of
the shell history; '\${NAME}' refers to an environment variable.`;
