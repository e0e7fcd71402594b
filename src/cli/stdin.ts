/** Tests: test/e2e/stdin.test.ts */
import { createReadStream, fstatSync } from 'node:fs';

/** Node takes a disk or a folder for an input that ends at once. Here a disk is read, and a folder is an error. */
export function standardInput(): NodeJS.ReadableStream {
  const kind = fstatSync(0);
  return kind.isBlockDevice() || kind.isDirectory() ? createReadStream('', { fd: 0 }) : process.stdin;
}

/** Nobody sends anything: standard input is a terminal, /dev/null, or another device of characters. */
export function sendsNothing(stdin: NodeJS.ReadableStream): boolean {
  if ('isTTY' in stdin && stdin.isTTY === true) return true;
  return 'fd' in stdin && stdin.fd === 0 && fstatSync(0).isCharacterDevice();
}
