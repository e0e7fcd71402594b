/** Writes the folder that uploads read. */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Content } from './cases.js';
import type { Stub } from './stub.js';

/** The server's object data repeats after a MiB. */
const PIECE = 1024 * 1024;

/** Names and bytes are the server's own: it stores nothing, and a tool that asks for what it sent must find that. */
export async function fill(folder: string, { objects, size }: Content, { source }: Stub): Promise<void> {
  const answer = await fetch(`${source}/any/_${Math.min(size, PIECE)}`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  mkdirSync(folder);
  for (let i = 0; i < objects; i++) {
    const file = openSync(join(folder, `${String(i).padStart(9, '0')}_${size}.bin`), 'w');
    for (let at = 0; at < size; at += bytes.length) writeSync(file, bytes, 0, Math.min(bytes.length, size - at));
    closeSync(file);
  }
}
