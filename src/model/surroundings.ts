/** Faults of the machine, the process's limits and the installation: no bugs, wherever they come up. */
import { FULL, isErrno, reasonOf } from './errno.js';

export interface SurroundingFault {
  code: 'usage' | 'config' | 'disk-full' | 'not-readable' | 'network';
  message: string;
  remedy: string;
}

/** V8's texts when a buffer or the memory of a WebAssembly module cannot be allocated. */
const NO_MEMORY = /allocation failed|out of memory/i;
/** Of a native module that was built for another Node. */
const OTHER_NODE = /NODE_MODULE_VERSION (\d+)/;

/** What `error` says of xsync's surroundings; undefined if it says nothing of them. */
export function surroundingFault(error: unknown): SurroundingFault | undefined {
  if (!(error instanceof Error)) return undefined;
  return limitFault(error) ?? installationFault(error) ?? systemFault(error);
}

function limitFault(error: Error): SurroundingFault | undefined {
  if (isErrno(error, 'EMFILE', 'ENFILE')) {
    const remedy = 'Raise the limit (ulimit -n), to 1024 or more.';
    return { code: 'usage', message: 'too many open files', remedy };
  }
  if (isErrno(error, 'ENOMEM') || (error instanceof RangeError && NO_MEMORY.test(error.message))) {
    const remedy = 'Remove the limit of virtual memory (ulimit -v unlimited), or lower --max-memory.';
    return { code: 'usage', message: 'there is not enough memory', remedy };
  }
  return undefined;
}

const AGAIN = 'Install xsync again with this Node, without --ignore-scripts.';

/** SQLite is the only native module that xsync cannot do without. */
function installationFault(error: Error): SurroundingFault | undefined {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ERR_DLOPEN_FAILED' && OTHER_NODE.test(error.message)) {
    const message = `SQLite (better-sqlite3) was built for another version of Node than this one, ${process.version}`;
    return {
      code: 'config',
      message,
      remedy: 'Run "npm rebuild better-sqlite3" in the folder of xsync, or install xsync again.',
    };
  }
  if (code === 'ERR_DLOPEN_FAILED') {
    const [why = ''] = error.message.split('\n', 1);
    return { code: 'config', message: `SQLite (better-sqlite3) cannot be loaded: ${why}`, remedy: AGAIN };
  }
  // Of the package `bindings`, which looks for the binary.
  if (error.message.startsWith('Could not locate the bindings file')) {
    const message = `SQLite (better-sqlite3) has no binary for Node ${process.version} on ${process.platform}-${process.arch}`;
    return { code: 'config', message, remedy: AGAIN };
  }
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    const [why = ''] = error.message.split('\n', 1);
    return { code: 'config', message: `the installation is incomplete: ${why}`, remedy: 'Install xsync again.' };
  }
  return undefined;
}

const OF_NETWORK = ['connect', 'getaddrinfo', 'read', 'write'];

function systemFault(error: Error): SurroundingFault | undefined {
  if (!('syscall' in error) || typeof error.syscall !== 'string') return undefined;
  if (error.syscall === 'uv_cwd') {
    const remedy = 'Change to a folder that exists.';
    return { code: 'not-readable', message: 'the current folder no longer exists', remedy };
  }
  const path = 'path' in error && typeof error.path === 'string' ? `${error.path}: ` : '';
  const message = `${path}${reasonOf(error)}`;
  if (isErrno(error, ...FULL)) return { code: 'disk-full', message, remedy: 'Free space on this disk.' };
  if (path === '' && OF_NETWORK.includes(error.syscall)) {
    return { code: 'network', message: error.message, remedy: 'Check the network.' };
  }
  return { code: 'not-readable', message, remedy: 'Check this path, its permissions and its disk.' };
}
