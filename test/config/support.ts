import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { type Config, loadConfig } from '../../src/config/load.js';
import type { Environment } from '../../src/config/references.js';
import { toXsyncError } from '../../src/model/error.js';

/** A directory that goes away with the test file. */
export async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'xsync-config-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

let count = 0;

export async function load(folder: string, text: string, env: Environment = {}, mode = 0o600): Promise<Config> {
  const file = join(folder, `${count++}.yaml`);
  await writeFile(file, text, { mode });
  return loadConfig({ file, env });
}

/** What the person reads: code, message with the folder cut off, and remedy. */
export async function complaint(folder: string, work: () => unknown): Promise<string> {
  try {
    return `accepted: ${JSON.stringify(await work())}`;
  } catch (error) {
    const { code, message, remedy } = toXsyncError(error);
    const text = `${code}: ${message}${remedy === undefined ? '' : ` → ${remedy}`}`;
    return text.replaceAll(folder, '').replaceAll(/\/\d+\.yaml/g, 'F');
  }
}
