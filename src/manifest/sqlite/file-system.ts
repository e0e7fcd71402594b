/** Names file systems for messages. Tests: test/manifest/sqlite/lock.test.ts */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';

/** File systems that are known for lacking what SQLite needs, by their `f_type`. man 2 statfs */
const NAMES: Readonly<Record<number, string>> = {
  26985: 'NFS',
  16914839: '9p',
  4283649346: 'SMB',
  4266872130: 'SMB',
  1702057286: 'FUSE',
  12805120: 'Ceph',
};

/** `the file system of /mnt/state (NFS)`, of the folder that holds `file`. */
export function fileSystemOf(file: string): string {
  const folder = dirname(file);
  let name: string | undefined;
  try {
    // Some are negative, in 32 bits.
    name = NAMES[statfsSync(folder).type >>> 0];
  } catch {
    // The message is about another error.
  }
  return `the file system of ${folder}${name === undefined ? '' : ` (${name})`}`;
}
