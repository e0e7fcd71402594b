import { type Argument, Command, CommanderError } from 'commander';
import { toXsyncError } from '../model/error.js';
import { excerpt } from '../model/excerpt.js';
import { VERSION } from '../version.js';
import { addBridge } from './commands/bridge.js';
import { addCat } from './commands/cat.js';
import { addCheck } from './commands/check.js';
import { addCleanup } from './commands/cleanup.js';
import { addCompletion } from './commands/completion.js';
import { addConfig } from './commands/config.js';
import { addConflicts } from './commands/conflicts.js';
import { addCopy } from './commands/copy.js';
import { addCopyto } from './commands/copyto.js';
import { addDelete, addPurge } from './commands/delete.js';
import { addDoctor } from './commands/doctor.js';
import { addFailed } from './commands/failed.js';
import { addHashsum, addMd5sum } from './commands/hashsum.js';
import { addLink } from './commands/link.js';
import { addListremotes } from './commands/listremotes.js';
import { addLs } from './commands/ls.js';
import { addLsd } from './commands/lsd.js';
import { addLsf } from './commands/lsf.js';
import { addLsjson } from './commands/lsjson.js';
import { addLsl } from './commands/lsl.js';
import { addManifest } from './commands/manifest.js';
import { addMirror } from './commands/mirror.js';
import { addMkdir, addRmdir } from './commands/mkdir.js';
import { addMove, addMoveto } from './commands/move.js';
import { addRcat } from './commands/rcat.js';
import { addReport } from './commands/report.js';
import { addRetry } from './commands/retry.js';
import { addRules } from './commands/rules.js';
import { addRun } from './commands/run.js';
import { addServe } from './commands/serve.js';
import { addSize } from './commands/size.js';
import { addStatus } from './commands/status.js';
import { addSync } from './commands/sync.js';
import { addTree } from './commands/tree.js';
import { addVersion } from './commands/version.js';
import { addWatch } from './commands/watch.js';
import { addWorker } from './commands/worker.js';
import type { Io } from './context.js';
import { EXIT, exitOfError } from './exit.js';
import { explained } from './foreign.js';
import { optionsBehindCommand } from './placement.js';
import type { Program } from './program.js';
import { writeLines } from './render/wrapped.js';
import { standardInput } from './stdin.js';

/**
 * Runs xsync with the arguments after the program's name and returns the exit code. Exits the process only on a
 * second Ctrl-C.
 */
export async function main(argv: readonly string[], io: Io = processIo()): Promise<number> {
  let exitCode: number = EXIT.ok;
  // A closed pipe after help (`| head`) is not an error; commands handle their own output.
  io.stdout.on('error', () => {});
  const finish = (code: number): void => {
    exitCode = code;
  };
  try {
    const [first = ''] = argv;
    // A completion script has every command.
    const only = NAMES.has(first) && first !== 'completion' ? first : undefined;
    const root = buildProgram(io, finish, only);
    const args = optionsBehindCommand(root, argv);
    if (args === undefined) {
      root.outputHelp({ error: true });
      return EXIT.usage;
    }
    root.hook('preAction', (_root, command) => warnOfStrays(command, io));
    await root.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // commander has already printed the error, or the help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return await complain(io, error);
  }
}

/** Warns of variables that are ignored: a misspelled one is found, and a stranger's ends nothing. */
async function warnOfStrays(command: Command, io: Io): Promise<void> {
  const { env, stderr } = io;
  if (command.opts().quiet === true || !Object.keys(env).some((name) => name.startsWith('XSYNC_'))) return;
  const { strayVariables } = await import('./variables.js');
  const whole = buildProgram(io, () => {});
  for (const text of strayVariables(whole, env)) writeLines(stderr, `xsync: warning: ${text}\n`);
}

/** The commands in the groups and the order of help. */
const COMMANDS: Readonly<Record<string, Readonly<Record<string, (program: Program) => void>>>> = {
  'Copy:': {
    copy: addCopy,
    copyto: addCopyto,
    move: addMove,
    moveto: addMoveto,
    sync: addSync,
    mirror: addMirror,
    watch: addWatch,
    run: addRun,
    serve: addServe,
    rules: addRules,
    bridge: addBridge,
    worker: addWorker,
    rcat: addRcat,
  },
  'Inspect:': {
    ls: addLs,
    lsd: addLsd,
    lsf: addLsf,
    lsjson: addLsjson,
    lsl: addLsl,
    tree: addTree,
    size: addSize,
    hashsum: addHashsum,
    md5sum: addMd5sum,
    cat: addCat,
    link: addLink,
    check: addCheck,
  },
  'Monitor:': { status: addStatus, failed: addFailed, retry: addRetry, conflicts: addConflicts, report: addReport },
  'Maintain:': {
    delete: addDelete,
    purge: addPurge,
    mkdir: addMkdir,
    rmdir: addRmdir,
    config: addConfig,
    listremotes: addListremotes,
    cleanup: addCleanup,
    doctor: addDoctor,
    manifest: addManifest,
    completion: addCompletion,
    version: addVersion,
  },
};

const NAMES = new Set(Object.values(COMMANDS).flatMap((commands) => Object.keys(commands)));

/**
 * The command tree. A command's implementation is loaded when it runs.
 * @param only the command to build: the options of all of them take longer than a short run
 */
export function buildProgram(io: Io, finish: (exitCode: number) => void, only?: string): Command {
  const root = new Command('xsync')
    .description(
      'Copies objects between Alibaba Cloud OSS, AWS S3, S3-compatible stores and local disk, ' +
        'resumes after any interruption, and verifies every byte.',
    )
    .usage('<command> [options] <path>…')
    .version(VERSION, '--version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .exitOverride()
    // An option belongs to the command before it: subcommands may reuse the names of their parent.
    .enablePositionalOptions()
    .showHelpAfterError('Run it with --help for usage.')
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => writeLines(io.stderr, text),
      getOutHelpWidth: () => io.stdout.columns ?? 80,
      getErrHelpWidth: () => io.stderr.columns ?? 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({
      // A narrow column is better than lines that the terminal wraps.
      minWidthToWrap: 20,
      subcommandTerm: (command) => command.name() + command.registeredArguments.map(argumentTerm).join(''),
      // Without the variable of each option: one line at the end covers all of them.
      optionDescription: (option) =>
        option.defaultValue === undefined || option.isBoolean()
          ? withChoices(option.description, option.argChoices)
          : `${withChoices(option.description, option.argChoices)} (default: ${option.defaultValueDescription ?? option.defaultValue})`,
    })
    .addHelpText('after', ROOT_HELP);
  for (const [group, commands] of Object.entries(COMMANDS)) {
    root.commandsGroup(group);
    for (const [name, add] of Object.entries(commands))
      if (only === undefined || name === only) add({ root, io, finish });
  }
  root.helpCommand('help [command]', 'show help for a command');
  explainErrors(root, () => (only === undefined ? root : buildProgram(io, finish)));
  return root;
}

/** @param whole the tree with every command */
function explainErrors(command: Command, whole: () => Command): void {
  command.configureOutput({
    // A word may be of any length.
    outputError: (text, write) =>
      write(
        explained(command, text, whole)
          .replace(/^error: /, 'xsync: ')
          .replace(/\S{200,}/g, (word) => excerpt(word)),
      ),
  });
  for (const each of command.commands) explainErrors(each, whole);
}

const ROOT_HELP = `
Paths:
  remote:bucket/prefix   a remote in the config file (xsync config add)
  s3://bucket/prefix     AWS S3, with the usual AWS credentials and region
  oss://bucket/prefix    Alibaba Cloud OSS, with OSS_ACCESS_KEY_ID etc.
  ./folder               local disk

Examples:
  xsync copy ./photos s3://my-bucket/photos
  xsync copy --dry-run virginia:src-bucket shanghai:dst-bucket
  xsync ls shanghai:dst-bucket/2024

Run "xsync <command> --help" for the options of a command. Each option can also
be set in the environment: --part-size as XSYNC_PART_SIZE.`;

function argumentTerm(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '…' : ''}`;
  return argument.required ? ` <${name}>` : ` [${name}]`;
}

function withChoices(description: string, choices: readonly string[] | undefined): string {
  return choices === undefined ? description : `${description}: ${choices.join(', ')}`;
}

async function complain(io: Io, error: unknown): Promise<number> {
  const [{ errorLines }, { colours }] = await Promise.all([import('./render/error.js'), import('./render/colour.js')]);
  const known = toXsyncError(error);
  for (const line of errorLines(known, false, colours(io.stderr, io.env))) writeLines(io.stderr, `${line}\n`);
  return exitOfError(known);
}

function processIo(): Io {
  return { stdin: standardInput(), stdout: process.stdout, stderr: process.stderr, env: process.env, now: Date.now };
}
