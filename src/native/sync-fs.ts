/**
 * syncfs(2) of Linux, which makes durable whatever was written to a file system before the call, in one go. Node has only
 * fsync, which does it for one file or directory.
 * Tests: test/native/sync-fs.test.ts
 */
import { fstatSync } from 'node:fs';
import { type FileHandle, open, statfs } from 'node:fs/promises';
import { release } from 'node:os';
import { loadLibc } from './libc.js';

/**
 * File systems of which it is known that syncfs does for each file what fsync does, the disk's own cache included, by
 * their numbers in statfs(2): ext2 to ext4, XFS, Btrfs, F2FS, and tmpfs, which has nothing to make durable. FUSE does not
 * pass it on, some network file systems know nothing of it, and overlayfs passes it to the whole disk of the host.
 */
const FIT: ReadonlySet<number> = new Set([0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x01021994]);

export interface WholeFileSystem {
  /** `st_dev` of its files. */
  device: number;
  /** @throws Error: something was not written; fsync of each file tells which. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The file system of a directory; undefined if its files must be synced one by one. */
export async function wholeFileSystem(directory: string): Promise<WholeFileSystem | undefined> {
  if (process.platform !== 'linux' || !reportsErrors(release())) return undefined;
  // Both may be refused, as in a directory that only takes files, or in a sandbox.
  const handle = await open(directory, 'r').catch(() => undefined);
  const kind = await statfs(directory).catch(() => undefined);
  const syncfs = handle && kind && FIT.has(kind.type) ? await loadSyncfs() : undefined;
  if (handle && syncfs) return opened(handle, syncfs);
  await handle?.close();
  return undefined;
}

/** Before Linux 5.8, syncfs succeeded even if bytes were lost: https://man7.org/linux/man-pages/man2/syncfs.2.html */
export function reportsErrors(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  return major > 5 || (major === 5 && minor >= 8);
}

/** Undefined without koffi, which is optional. */
async function loadSyncfs(): Promise<((fd: number) => Promise<unknown>) | undefined> {
  try {
    return (await loadLibc()).inPool('int syncfs(int fd)');
  } catch {
    return undefined;
  }
}

function opened(handle: FileHandle, syncfs: (fd: number) => Promise<unknown>): WholeFileSystem {
  return {
    device: fstatSync(handle.fd).dev,
    sync: async () => {
      if ((await syncfs(handle.fd)) !== 0) throw new Error('syncfs failed');
    },
    close: () => handle.close(),
  };
}
