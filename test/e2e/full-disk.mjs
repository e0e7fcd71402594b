/** Preloaded into the program: file writes fail as on a full disk once a megabyte was written (disk.test.ts). */
import { open } from 'node:fs/promises';

const file = await open(process.execPath);
const prototype = Object.getPrototypeOf(file);
await file.close();

let left = 1024 * 1024;
const { write } = prototype;

prototype.write = async function (buffer, offset, length, position) {
  left -= length;
  if (left >= 0) return write.call(this, buffer, offset, length, position);
  const error = new Error('ENOSPC: no space left on device, write');
  throw Object.assign(error, { code: 'ENOSPC', errno: -28, syscall: 'write' });
};
