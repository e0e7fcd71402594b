import { type BigIntStats, fstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isErrno } from '../../../src/model/errno.js';
import type { SyncCalls } from '../../../src/store/local/syncs.js';
import { useFixture } from './fixture.js';

interface Named {
  path: string;
  file: string;
}

/** Inodes are used again. */
const fileOf = ({ ino, birthtimeNs }: BigIntStats) => `${ino} ${birthtimeNs}`;

/**
 * A disk whose power can fail at any moment. Of bytes, it keeps only what was synced. Of names, it may keep any that was
 * made, and certainly keeps those that were synced.
 */
class Disk {
  readonly #root: string;
  /** By file: the bytes that were synced. */
  readonly #bytes = new Map<string, string>();
  /** By path: the file that it named when its directory was synced, and the number of that sync. */
  readonly #names = new Map<string, { file: string; sync: number }>();
  /** Called before and after each sync. */
  step: () => void = () => {};
  readonly synced: string[] = [];

  constructor(root: string) {
    this.#root = root;
  }

  readonly calls: SyncCalls = {
    file: async (fd) => {
      await this.#during('file', [{ path: `/dev/fd/${fd}`, file: fileOf(fstatSync(fd, { bigint: true })) }], []);
    },
    data: async (fd) => {
      await this.#during('data', [{ path: `/dev/fd/${fd}`, file: fileOf(fstatSync(fd, { bigint: true })) }], []);
    },
    directory: async (path) => {
      const names = this.#paths().filter(({ path: one }) => join(one, '..') === path.toString());
      await this.#during('directory', [], names);
    },
    whole: async () => ({
      device: statSync(this.#root).dev,
      sync: () => this.#during('whole', this.#paths(), this.#paths()),
      close: async () => {},
    }),
    now: () => 0,
  };

  /** What a path may hold after a power loss now: undefined if nothing. */
  mayHold(path: string): (string | undefined)[] {
    const kept = this.#names.get(path)?.file;
    const made = statSync(path, { bigint: true, throwIfNoEntry: false });
    const bytesOf = (file: string | undefined) => (file === undefined ? undefined : (this.#bytes.get(file) ?? ''));
    return [bytesOf(kept), bytesOf(made && fileOf(made))];
  }

  /** A sync keeps what was there when it began, and is known to have ended only later. */
  async #during(kind: string, files: readonly Named[], names: readonly Named[]): Promise<void> {
    const sync = this.synced.push(kind);
    this.step();
    const bytes = files.map(({ path, file }) => ({ file, text: textOf(path) }));
    await new Promise((resolve) => setImmediate(resolve));
    for (const { file, text } of bytes) if (text !== undefined) this.#bytes.set(file, text);
    for (const { path, file } of names) {
      // A sync that began later may have ended earlier.
      if (sync > (this.#names.get(path)?.sync ?? 0)) this.#names.set(path, { file, sync });
    }
    this.step();
  }

  #paths(): Named[] {
    const entries = readdirSync(this.#root, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    return paths.flatMap((path) => {
      // The thread pool may be moving it, so nobody was told of it yet.
      const found = statSync(path, { bigint: true, throwIfNoEntry: false });
      return found ? [{ path, file: fileOf(found) }] : [];
    });
  }
}

/** Undefined if the thread pool has moved it. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

const textFor = (key: string, edition: number) => `${edition} of ${key}`;

describe('writes to a disk that loses power', () => {
  const fixture = useFixture();

  /** Writes every key twice, and asks at each step what a power loss would leave. */
  async function writeTwice(options: Partial<SyncCalls>, headers = {}): Promise<{ disk: Disk; steps: number }> {
    const disk = new Disk(fixture.root);
    const store = fixture.open({ syncCalls: { ...disk.calls, ...options } });
    const keys = Array.from({ length: 60 }, (_, n) => `folder ${n % 7}/of ${n % 3}/object ${n}`);
    const reported = new Map<string, number>();
    const problems: string[] = [];
    let writing = 1;
    let steps = 0;
    disk.step = () => {
      steps++;
      for (const key of keys) {
        const sure = reported.get(key);
        const allowed = [sure === undefined ? undefined : textFor(key, sure), textFor(key, writing)];
        const wrong = disk.mayHold(join(fixture.root, key)).filter((held) => !allowed.includes(held));
        for (const held of wrong) problems.push(`${key} may hold ${held} after step ${steps}`);
      }
    };
    for (writing of [1, 2]) {
      const queue = [...keys];
      const lane = async () => {
        for (let key = queue.shift(); key !== undefined; key = queue.shift()) {
          await store.put(key, Buffer.from(textFor(key, writing)), { mtimeMs: 1000, headers });
          reported.set(key, writing);
        }
      };
      await Promise.all(Array.from({ length: 16 }, lane));
      disk.step();
    }
    await store.close();
    expect(problems).toEqual([]);
    return { disk, steps };
  }

  it('leave the old object or the new one, and what was reported, at each step of a group', async () => {
    const { disk, steps } = await writeTwice({});
    expect(steps).toBeGreaterThan(100);
    const wholes = disk.synced.filter((kind) => kind === 'whole').length;
    const alone = disk.synced.filter((kind) => kind === 'file').length;
    // The first 64, and those that began before groups did.
    expect(alone).toBeLessThan(64 + 16 + 1);
    expect(wholes).toBeLessThan(120 - alone);
  });

  it('do so where each file is synced alone', async () => {
    const { disk } = await writeTwice({ whole: async () => undefined });
    expect(disk.synced.filter((kind) => kind === 'file')).toHaveLength(120);
    expect(disk.synced).not.toContain('whole');
  });

  it('do so with headers, whose records are durable before the object is', async () => {
    const { disk } = await writeTwice({}, { cacheControl: 'no-store' });
    expect(disk.synced).toContain('whole');
  });
});
