/** Takes the lock of the manifest named by the first argument, says so, and holds it until it is killed. */
import { lockPair } from '../../../src/manifest/sqlite/lock.js';

const [file = ''] = process.argv.slice(2);
lockPair(file, { pid: process.pid, host: 'here', sinceMs: 1_700_000_000_000, command: 'xsync sync a: b:' });
process.stdout.write('held\n');
setInterval(() => undefined, 60_000);
