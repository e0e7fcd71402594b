/** What every command needs: streams, a log, and one way to report errors. Tests: test/cli/output.test.ts */
import { toXsyncError, XsyncError } from '../model/error.js';
import { EXIT, exitOfError } from './exit.js';
import type { LogFile } from './log-file.js';
import type { LogFlags, ReportFlags } from './options.js';
import { Output, OutputClosed } from './output.js';
import type { LogLevel } from './render/levels.js';
import type { Renderer } from './render/renderer.js';
import { type Terminal, terminalWidth } from './render/terminal.js';
import { writeLines } from './render/wrapped.js';

/** The outside world; tests replace it. */
export interface Io {
  stdin: NodeJS.ReadableStream;
  stdout: Terminal;
  stderr: Terminal;
  env: NodeJS.ProcessEnv;
  /** Milliseconds since 1970. */
  now: () => number;
}

export type Flags = LogFlags & Partial<ReportFlags>;

export interface Context {
  io: Io;
  out: Output;
  log: Renderer;
}

const USUAL_OVERLAP_MS = 24 * 3_600_000;

export interface RunCommandOptions {
  /** The command has progress to show. */
  bars: boolean;
  /** Each line has a time, even on a terminal. */
  stamped?: boolean;
  /** Without a terminal, a run that had nothing to do prints nothing. */
  idleSilent?: boolean;
}

/** Runs a command's body. An error becomes a message and an exit code. */
export async function runCommand(
  io: Io,
  flags: Flags,
  options: RunCommandOptions,
  body: (context: Context) => Promise<number>,
): Promise<number> {
  const out = new Output(io.stdout);
  // Standard error was closed: there is nowhere left to report errors.
  io.stderr.on('error', () => {});
  const log = await openLog(io, out, flags, options);
  const unhook = takeWarnings(log);
  const undump = await startDump(flags, log);
  try {
    const exitCode = await body({ io, out, log });
    await out.settled();
    return exitCode;
  } catch (error) {
    if (error instanceof OutputClosed) return EXIT.outputClosed;
    const known = toXsyncError(error);
    if (!(flags.quiet && (await isUsualOverlap(known, io.now())))) log.fail(known, exitOfError(known));
    return exitOfError(known);
  } finally {
    unhook();
    undump();
    log.close();
  }
}

/** A cron job that starts while its last run is still busy is no news, until that run is a day old. */
async function isUsualOverlap(error: XsyncError, nowMs: number): Promise<boolean> {
  if (error.code !== 'locked' || error.subject === undefined) return false;
  const { holderOf } = await import('../manifest/sqlite/lock.js');
  const holder = holderOf(error.subject);
  return holder !== undefined && nowMs - holder.sinceMs < USUAL_OVERLAP_MS;
}

async function startDump({ dump }: Flags, log: Renderer): Promise<() => void> {
  if (dump === undefined) return () => {};
  const { dumpHeaders } = await import('./dump-headers.js');
  const { printable } = await import('./render/printable.js');
  return dumpHeaders((text) => log.say('notice', printable(text)));
}

/** Sends the warnings of Node and the SDKs to the log: nothing else may write to a screen with bars. */
function takeWarnings(log: Renderer): () => void {
  const theirs = process.listeners('warning');
  const ours = (warning: Error): void => log.say('debug', `${warning.name}: ${warning.message}`);
  process.removeAllListeners('warning').on('warning', ours);
  return () => {
    process.removeListener('warning', ours);
    for (const listener of theirs) process.on('warning', listener);
  };
}

/** The log level. @throws usage for `--quiet` with `--verbose` */
export function levelOfFlags(flags: LogFlags): LogLevel {
  if (flags.quiet && flags.verbose > 0) throw new XsyncError('usage', 'choose one of --quiet and --verbose');
  if (flags.logLevel !== undefined) return flags.logLevel;
  if (flags.quiet) return 'error';
  return (['notice', 'info', 'debug'] as const)[Math.min(flags.verbose, 2)] ?? 'notice';
}

async function openLog(io: Io, out: Output, flags: Flags, options: RunCommandOptions): Promise<Renderer> {
  const log = await openOwnLog(io, out, flags, options);
  if (!flags.syslog) return log;
  const [{ both }, syslog] = await Promise.all([import('./render/renderer.js'), syslogLog(io, flags, options)]);
  return both(log, syslog);
}

async function syslogLog(io: Io, flags: Flags, { idleSilent }: RunCommandOptions): Promise<Renderer> {
  const [{ syslogRenderer }, { openSyslog }, { colours }] = await Promise.all([
    import('./render/syslog.js'),
    import('../native/syslog.js'),
    import('./render/colour.js'),
  ]);
  const options = { level: levelOfFlags(flags), statsMs: flags.stats ?? 0, idleSilent: idleSilent === true };
  const send = await openSyslog(flags.syslogFacility ?? 'DAEMON');
  return syslogRenderer({ ...options, chalk: colours({}, io.env), now: io.now }, send);
}

async function openOwnLog(io: Io, out: Output, flags: Flags, options: RunCommandOptions): Promise<Renderer> {
  const level = levelOfFlags(flags);
  if (flags.json || flags.useJsonLog) return jsonLog(io, out, flags);
  const screen = await screenLog(io, flags, level, options, flags.logFile !== undefined || flags.syslog === true);
  if (flags.logFile === undefined) return screen;
  const file = await openLogFile(flags.logFile, screen);
  const { both } = await import('./render/renderer.js');
  return both(screen, inFile(await plainLog(io, flags, level, (text) => file.write(text)), file));
}

/** Errors also go to standard error, because not every caller reads the events. */
async function jsonLog(io: Io, out: Output, flags: Flags): Promise<Renderer> {
  const [{ jsonRenderer }, { both }] = await Promise.all([import('./render/json.js'), import('./render/renderer.js')]);
  const errors = await plainLog(io, { ...flags, stats: 0 }, 'error', (text) => writeLines(io.stderr, text), {
    stamped: false,
  });
  const file = flags.logFile === undefined ? undefined : await openLogFile(flags.logFile, errors);
  const json = jsonRenderer({
    write: (text) => (file === undefined ? out.post(text) : file.write(text)),
    // Programs get everything by default.
    level: flags.logLevel ?? (flags.quiet ? 'error' : 'debug'),
    statsMs: flags.stats ?? 0,
    now: io.now,
  });
  out.onFailure((message) => errors.say('error', `xsync: ${message}; continuing without --json`));
  return both(file === undefined ? json : inFile(json, file), onlyErrors(errors));
}

function onlyErrors(log: Renderer): Renderer {
  return { ...log, report: () => {}, end: () => {}, tell: () => {}, of: (rule) => onlyErrors(log.of(rule)) };
}

/** Standard error: bars on a terminal, a plain log elsewhere. With a log file, only the essentials. */
async function screenLog(
  io: Io,
  flags: Flags,
  level: LogLevel,
  { bars, stamped: always = false, idleSilent }: RunCommandOptions,
  hasFile: boolean,
): Promise<Renderer> {
  const terminal = io.stderr.isTTY === true && io.env.TERM !== 'dumb';
  const toTerminal = (text: string): void => writeLines(io.stderr, text);
  if (!bars || !(flags.progress || (terminal && !flags.quiet))) {
    const shown = hasFile ? 'error' : level;
    const stamped = always || (bars && !terminal);
    return plainLog(io, flags, shown, toTerminal, { stamped, idleSilent: stamped && idleSilent });
  }
  const [{ Display, displayRenderer }, { colours }] = await Promise.all([
    import('./render/display.js'),
    import('./render/colour.js'),
  ]);
  const display = new Display(io.stderr, colours(io.stderr, io.env), io.now, flags.statsOneLine === true);
  const shown = hasFile && level !== 'error' ? 'notice' : level;
  const lines = await plainLog(io, { ...flags, stats: 0 }, shown, (text) => display.print(text), { stamped: false });
  return displayRenderer(display, lines);
}

async function plainLog(
  io: Io,
  flags: Flags,
  level: LogLevel,
  write: (text: string) => void,
  screen?: { stamped: boolean; idleSilent?: boolean },
): Promise<Renderer> {
  const [{ textRenderer }, { colours }] = await Promise.all([import('./render/text.js'), import('./render/colour.js')]);
  return textRenderer({
    write,
    level,
    chalk: colours(screen === undefined ? {} : io.stderr, io.env),
    stamped: screen?.stamped ?? true,
    statsMs: flags.stats ?? 0,
    // Lines of a log are not wrapped, so that they can be searched.
    width: screen?.stamped === false ? terminalWidth(io.stderr) : Number.POSITIVE_INFINITY,
    oneLine: flags.statsOneLine === true,
    idleSilent: screen?.idleSilent === true,
    now: io.now,
  });
}

/** @param screen shows that the file cannot be written. @throws not-writable */
async function openLogFile(name: string, screen: Renderer): Promise<LogFile> {
  const { LogFile } = await import('./log-file.js');
  return new LogFile(name, (message) => screen.say('error', message));
}

function inFile(renderer: Renderer, file: LogFile): Renderer {
  return {
    ...renderer,
    reopen: () => file.reopen(),
    close() {
      renderer.close();
      file.close();
    },
  };
}
