/** A pair that is mirrored: both sides are written to. */
import type { MirrorPolicy } from '../../src/engine/decide/decide.js';
import type { RunEvent, Summary } from '../../src/engine/events.js';
import type { DeleteOptions, RunOptions } from '../../src/engine/options.js';
import type { RunPair } from '../../src/engine/pair.js';
import type { Manifest } from '../../src/manifest/port.js';
import { IN_MEMORY, openManifest } from '../../src/manifest/sqlite/open.js';
import type { ConflictWay } from '../../src/model/conflict.js';
import type { ObjectStore } from '../../src/store/port.js';
import { bytesOf, contentOf, emptyManifest, keysOf, Pair, POLICY } from './support.js';
import { DELETES } from './sync.js';

const MIRROR_POLICY: MirrorPolicy = {
  ...POLICY,
  mode: 'mirror',
  conflict: 'keep-both',
  conflictSuffix: '.conflict',
};

export interface MirrorOptions extends Partial<Omit<RunOptions, 'policy' | 'deletes'>> {
  conflict?: ConflictWay;
  deletes?: Partial<DeleteOptions>;
}

export function mirrorOptions({ conflict = 'keep-both', deletes, ...rest }: MirrorOptions = {}): Partial<RunOptions> {
  const policy = { ...MIRROR_POLICY, conflict };
  return { command: 'mirror', ...rest, policy, deletes: { ...DELETES, ...deletes } };
}

export class MirrorPair extends Pair {
  reverse: Manifest = emptyReverse();

  override open(): RunPair {
    return { ...super.open(), reverse: { manifest: this.reverse } };
  }

  mirror(options: MirrorOptions = {}, listen?: (event: RunEvent) => void): Promise<Mirrored> {
    return this.copy(mirrorOptions(options), listen);
  }

  /** The manifest is lost. */
  lose(): void {
    this.manifest = emptyManifest();
    this.reverse = emptyReverse();
  }

  /** Writes text, or deletes the keys that have none. */
  async write(side: 'a' | 'b', objects: Record<string, string | undefined>): Promise<void> {
    const store = side === 'a' ? this.source : this.dest;
    for (const [key, text] of Object.entries(objects)) {
      if (text === undefined) await store.delete([key]);
      else await store.put(key, Buffer.from(text));
    }
  }

  a(objects: Record<string, string | undefined>): Promise<void> {
    return this.write('a', objects);
  }

  b(objects: Record<string, string | undefined>): Promise<void> {
    return this.write('b', objects);
  }

  /** What each side has, as text by key. */
  async sides(): Promise<{ a: Record<string, string>; b: Record<string, string> }> {
    return { a: await textsOf(this.source), b: await textsOf(this.dest) };
  }
}

function emptyReverse(): Manifest {
  return openManifest(IN_MEMORY, {
    source: { kind: 'memory', endpoint: 'b', bucket: 'dst', prefix: '' },
    dest: { kind: 'memory', endpoint: 'a', bucket: 'src', prefix: '' },
  });
}

export async function textsOf(store: ObjectStore): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const key of await keysOf(store)) texts[key] = (await contentOf(store, key)).toString();
  return texts;
}

export type Mirrored = Summary & { events: RunEvent[] };

export { bytesOf, keysOf };
