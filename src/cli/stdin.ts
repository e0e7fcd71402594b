/** Tests: test/e2e/stdin.test.ts */
import { createReadStream, fstatSync } from 'node:fs';

/** Node takes a disk or a folder for an input that ends at once. Here a disk is read, and a folder is an error. */
export function standardInput(): NodeJS.ReadableStream {
  const kind = fstatSync(0);
  return kind.isBlockDevice() || kind.isDirectory() ? createReadStream('', { fd: 0 }) : process.stdin;
}
