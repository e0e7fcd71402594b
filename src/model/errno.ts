/** Reads the errors of the operating system, as Node reports them. Tests: test/store/local/objects.test.ts */

/** Errnos of a path at which nothing exists. */
export const ABSENT: readonly string[] = ['ENOENT', 'ENOTDIR'];

/** Errnos of a full disk and of an exhausted quota. */
export const FULL: readonly string[] = ['ENOSPC', 'EDQUOT'];

/** The errno name (`ENOENT`) of an error of the operating system; undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return 'syscall' in error ? error.code : undefined;
}

export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  const errno = errnoOf(error);
  return errno !== undefined && codes.includes(errno);
}

/** Waits for `work`; undefined if it fails with one of the given errnos. */
export async function unlessErrno<T>(codes: readonly string[], work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isErrno(error, ...codes)) return undefined;
    throw error;
  }
}

/** The operating system's text for a Node error, without its code, its call and the path that the message has. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /^E[A-Z0-9]+: (.+?), \w+(?: '.*')?$/s.exec(message)?.[1] ?? message;
}
