/**
 * Loads the program with the code that V8 compiled in an earlier run of the same command, which saves most of the time
 * that a start takes. Node's own compile cache needs Node 22, and one file for all commands would have the functions of
 * whichever ran first.
 *
 * The code is in the user's cache folder, where nobody else can write: cached code is code. A file of another program,
 * Node or owner, or a damaged one, is not used. Without a cache everything works as with it.
 */
const {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} = require('node:fs');
const { createRequire } = require('node:module');
const { homedir } = require('node:os');
const { dirname, isAbsolute, join } = require('node:path');
const { setFlagsFromString } = require('node:v8');
const { Script } = require('node:vm');
const { crc32 } = require('node:zlib');

/**
 * For listings of millions of keys, whose pages die young: V8 else allocates them with the old objects, and lets those
 * grow to four times their size before it collects them. Together this saves a third of the memory.
 *
 * The budget is what a function must have run before it is optimized. With V8's own, which is a quarter, a run of a few
 * thousand objects spends a sixth of its CPU time on optimizing functions that then hardly run.
 *
 * The young generation grows to its full size in one step instead of five, each of which ends with a collection while the
 * program is being loaded and almost nothing is garbage.
 *
 * Collections drop the code of functions that have not run for a while, as those of the start. If the run that writes the
 * cache took seconds, half of the code would be missing in it, and each later start would take half as much time again.
 *
 * `until`: the newest V8 (major version) that is known to have the flag. Of others V8 complains on the standard error.
 */
const FLAGS = [
  { flag: '--no-allocation-site-pretenuring', until: 14 },
  { flag: '--heap-growing-percent=50', until: 14 },
  { flag: '--interrupt-budget=270336', until: 11 },
  { flag: '--semi-space-growth-factor=16', until: 14 },
  { flag: '--no-flush-bytecode', until: 14 },
];

/** Two CRC-32: of what identifies the program and Node, and of the code. */
const HEADER_BYTES = 8;

/**
 * @param {string} file a bundle in the folder `dist`
 * @param {string | undefined} command names the file of the cache
 * @returns {{ exports: object, save: () => void }} `save` keeps the compiled code for the next run
 */
function load(file, command) {
  setFlags();
  const { program, state } = readProgram(file);
  const sum = crc32(`${process.version} ${process.arch} ${state}`);
  const cache = cacheFile(command);
  const cachedData = cache && readCode(cache, sum);
  const source = `(function (exports, require, module, __filename, __dirname) { ${program}\n})`;
  const script = new Script(source, { filename: file, cachedData });
  // What `save` names stays in memory as long as the program runs.
  const isKept = cachedData !== undefined && !script.cachedDataRejected;
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file));
  return {
    exports: module.exports,
    save() {
      if (!cache || isKept) return;
      setFlags();
      writeCode(cache, sum, script.createCachedData());
    },
  };
}

/** V8 takes code only if its flags are those with which the code was cached. The program may have changed them. */
function setFlags() {
  for (const flag of flagsOf(process.versions.v8)) setFlagsFromString(flag);
}

/** The flags for this version of V8, such as `11.3.244.8-node.30`. */
function flagsOf(version) {
  return FLAGS.filter(({ until }) => Number.parseInt(version, 10) <= until).map(({ flag }) => flag);
}

/** The text, and what differs after every change of the file: nobody can set the time of the last one (ctime). */
function readProgram(file) {
  const descriptor = openSync(file);
  try {
    const { dev, ino, size, ctimeNs } = fstatSync(descriptor, { bigint: true });
    // The bundle is ASCII.
    return { program: readFileSync(descriptor, 'latin1'), state: `${dev} ${ino} ${size} ${ctimeNs}` };
  } finally {
    closeSync(descriptor);
  }
}

/** Undefined: there is to be none. */
function cacheFile(command) {
  const { XDG_CACHE_HOME: given = '', NODE_DISABLE_COMPILE_CACHE: disabled } = process.env;
  if (disabled || process.getuid === undefined || command === undefined) return undefined;
  const caches = isAbsolute(given) ? given : join(home(), '.cache');
  return isAbsolute(caches) ? join(caches, 'xsync', `${command}.code`) : undefined;
}

/** Empty for a user without one, as in a container that runs under any ID. */
function home() {
  try {
    return homedir();
  } catch {
    return '';
  }
}

/** The code, if it is of this program and Node, and only this user can have written it. */
function readCode(file, sum) {
  let descriptor;
  try {
    if (!isOurs(lstatSync(dirname(file)))) return undefined;
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
    if (!isOurs(fstatSync(descriptor))) return undefined;
    const all = readFileSync(descriptor);
    const code = all.subarray(HEADER_BYTES);
    return code.length > 0 && all.readUInt32LE(0) === sum && all.readUInt32LE(4) === crc32(code) ? code : undefined;
  } catch {
    // There is none yet, or the folder cannot be read.
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function writeCode(file, sum, code) {
  const folder = dirname(file);
  const part = `${file}.${process.pid}`;
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(sum, 0);
  header.writeUInt32LE(crc32(code), 4);
  try {
    makeFolder(folder);
    if (!isOurs(lstatSync(folder))) return;
    writeFileSync(part, Buffer.concat([header, code]), { flag: 'wx', mode: 0o600 });
    renameSync(part, file);
  } catch {
    // No place, no permission, no home: the next run compiles again.
  }
}

/** Leaves a home alone that is another user's, as sudo has it. */
function makeFolder(folder) {
  let above = dirname(folder);
  while (!statSync(above, { throwIfNoEntry: false })) above = dirname(above);
  if (statSync(above).uid === process.getuid()) mkdirSync(folder, { recursive: true, mode: 0o700 });
}

/** Of this user, and nobody else may write. */
function isOurs({ uid, mode }) {
  return uid === process.getuid() && (mode & 0o022) === 0;
}

module.exports = { load, flagsOf };
