/** Tries to take the lock of the manifest named by the first argument, and says how that ended. */
import { lockPair } from '../../../src/manifest/sqlite/lock.js';
import { isXsyncError } from '../../../src/model/error.js';

const [file = ''] = process.argv.slice(2);
try {
  lockPair(file, { pid: process.pid, host: 'here', sinceMs: 0, command: 'xsync' });
  process.stdout.write('taken\n');
} catch (error) {
  process.stdout.write(`${isXsyncError(error) ? error.code : String(error)}\n`);
}
