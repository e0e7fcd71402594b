/**
 * Extended attributes of files (xattr(7); setxattr(2) of macOS), which Node does not know.
 * Tests: test/store/local/attributes.test.ts
 */
import { type Libc, loadLibc } from './libc.js';

/** An open file, or a path, whose links are followed. */
export type File = number | string | Buffer;

export interface ExtendedAttributes {
  /** The values by name, with its namespace. Undefined: the file system has none. @throws Error, with the `code` of the system */
  read(file: File): Map<string, Buffer> | undefined;
  /** Sets the attribute. @throws as `read` */
  set(fd: number, name: string, value: Buffer): void;
  remove(fd: number, name: string): void;
}

/** The file system, or the system, has no such attributes. */
export const UNSUPPORTED: readonly string[] = ['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EPERM', 'EACCES'];
/** What a file can have in total; Linux allows no longer list, and no longer value. */
const MOST = 64 * 1024;
/** The attribute was removed since it was listed. */
const GONE: readonly string[] = ['ENODATA', 'ENOATTR', 'errno 93'];

/** Undefined without koffi, which is optional, and on systems without such attributes. */
export async function loadXattrs(): Promise<ExtendedAttributes | undefined> {
  const mac = process.platform === 'darwin';
  if (!mac && process.platform !== 'linux') return undefined;
  try {
    return attributesOf(await loadLibc(), mac);
  } catch {
    return undefined;
  }
}

/** macOS has a position and options besides. `ssize_t` is a long on both systems; koffi does not know the name. */
function attributesOf(libc: Libc, mac: boolean): ExtendedAttributes {
  const [at, options, more] = mac ? [', uint32_t position', ', int options', [0, 0]] : ['', '', []];
  const listed = mac ? [0] : [];
  const getting = `const char *name, void *value, size_t size${at}${options}`;
  const list = {
    fd: libc.func(`long flistxattr(int fd, void *list, size_t size${options})`),
    path: libc.func(`long listxattr(const void *path, void *list, size_t size${options})`),
  };
  const get = {
    fd: libc.func(`long fgetxattr(int fd, ${getting})`),
    path: libc.func(`long getxattr(const void *path, ${getting})`),
  };
  const flags = mac ? `${at}${options}` : ', int flags';
  const fsetxattr = libc.func(`int fsetxattr(int fd, const char *name, const void *value, size_t size${flags})`);
  const fremovexattr = libc.func(`int fremovexattr(int fd, const char *name${options})`);
  const buffer = Buffer.alloc(MOST);
  const checked = (name: string, result: unknown): number => {
    const size = Number(result);
    if (size < 0) throw failed(name, libc.errorName());
    return size;
  };
  const valueAt = (calls: typeof get, file: number | Buffer, name: string): Buffer | undefined => {
    const call = typeof file === 'number' ? calls.fd : calls.path;
    try {
      return Buffer.from(buffer.subarray(0, checked('getxattr', call(file, name, buffer, MOST, ...more))));
    } catch (error) {
      if (isOneOf(error, GONE)) return undefined;
      throw error;
    }
  };
  return {
    read(file) {
      const named = typeof file === 'number' ? file : Buffer.concat([Buffer.from(file), Buffer.alloc(1)]);
      const call = typeof named === 'number' ? list.fd : list.path;
      let names: string[];
      try {
        const size = checked('listxattr', call(named, buffer, MOST, ...listed));
        names = buffer.toString('utf8', 0, size).split('\0').filter(Boolean);
      } catch (error) {
        if (isOneOf(error, UNSUPPORTED)) return undefined;
        throw error;
      }
      const found = new Map<string, Buffer>();
      for (const name of names) {
        const value = name.startsWith('user.') ? valueAt(get, named, name) : undefined;
        if (value) found.set(name, value);
      }
      return found;
    },
    set(fd, name, value) {
      checked('setxattr', fsetxattr(fd, name, value, value.byteLength, ...(mac ? more : [0])));
    },
    remove(fd, name) {
      checked('removexattr', fremovexattr(fd, name, ...listed));
    },
  };
}

function failed(call: string, code: string): Error {
  return Object.assign(new Error(`${code}: ${call}`), { code, syscall: call });
}

function isOneOf(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
