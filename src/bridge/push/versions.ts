/** Finds versions and delete markers that are new, by lists of versions. Tests: test/bridge/push/versions.test.ts */
import { orderedVersions } from '../../engine/list/ordered-versions.js';
import { nameOfVersion, PendingVersions } from '../../engine/list/pending-versions.js';
import { versionsOfKey } from '../../engine/list/versions.js';
import type { Spool } from '../../manifest/port.js';
import type { OutboxVersions, VersionChange } from '../../manifest/queues.js';
import type { XsyncError } from '../../model/error.js';
import type { ObjectCatalog, VersionEntry } from '../../store/port.js';
import { type DeleteLimits, KnownKeys, refuseDeletes } from './known-keys.js';
import type { PollOptions, PollResult } from './poll.js';

export interface Versioned {
  store: ObjectCatalog;
  prefix: string;
  text: string;
  outbox: OutboxVersions;
  signal: AbortSignal;
  /** For the versions of a key that are too many for the memory. */
  spool(): Spool;
}

const PAGE = 1000;

/** The counts are those of keys. @throws as `poll` */
export async function pollVersions(
  versioned: Versioned,
  { backfill, first, deletes }: PollOptions,
): Promise<PollResult> {
  if (backfill) await versioned.outbox.backfillVersions();
  const state = first && !backfill ? 'known' : 'waiting';
  const result: PollResult = { listed: 0, changed: 0, gone: 0 };
  let present = 0;
  const known = knownKeys(versioned, () => {
    result.gone++;
  });
  let open: KeyVersions | undefined;
  try {
    for await (const version of listed(versioned)) {
      if (version.key !== open?.key) {
        result.changed += (await open?.note(state)) ?? 0;
        result.listed++;
        open = new KeyVersions(versioned, version.key);
        if (await known.seek(version.key)) present++;
      }
      await open.take(version);
    }
    result.changed += (await open?.note(state)) ?? 0;
  } finally {
    open?.dispose();
  }
  await known.rest();
  if (deletes && result.gone > 0) {
    const all = { known: present + result.gone, ...deletes };
    refuseDeletes(versioned.text, result, all);
    await noteGone(versioned, all);
  }
  return result;
}

/** Looks at one key. @returns whether the source has a version of it */
export async function lookAtVersions(versioned: Versioned, key: string): Promise<boolean> {
  const versions = new KeyVersions(versioned, key);
  let any = false;
  try {
    for await (const version of versionsOfKey(versioned, key, versioned)) {
      any = true;
      await versions.take(version);
    }
    await versions.note('waiting');
  } finally {
    versions.dispose();
  }
  return any;
}

/** Those of one key that are newer than all that are known of it. They come the newest first. */
class KeyVersions {
  readonly key: string;
  readonly #outbox: OutboxVersions;
  readonly #pending: PendingVersions;
  #oldestMs: number | undefined;
  /** The rest of them are known. */
  #known = false;

  constructor({ outbox, spool }: Versioned, key: string) {
    this.key = key;
    this.#outbox = outbox;
    this.#pending = new PendingVersions(spool);
  }

  async take(version: VersionEntry): Promise<void> {
    this.#known ||= (await this.#outbox.hasVersion(this.key, nameOfVersion(version))) || (await this.#isOlder(version));
    // What cannot be read, as an archived version, is given up by the other end, so that somebody learns of it.
    if (!this.#known && version.special !== 'other') this.#pending.add(version);
  }

  /** Than all that are remembered, of which the newest ones may have been deleted for good. */
  async #isOlder({ mtimeMs }: VersionEntry): Promise<boolean> {
    this.#oldestMs ??= (await this.#outbox.oldestVersionMs(this.key)) ?? Number.NEGATIVE_INFINITY;
    return mtimeMs < this.#oldestMs;
  }

  /** If it is interrupted, the older ones are noted, and the next look finds the others. @returns how many */
  async note(state: 'waiting' | 'known'): Promise<number> {
    let noted = 0;
    let batch: VersionChange[] = [];
    const flush = async (): Promise<void> => {
      if (batch.length > 0) noted += await this.#outbox.noteVersions(this.key, batch, state);
      batch = [];
    };
    for (const version of this.#pending.oldestFirst()) {
      batch.push(changeOfVersion(version));
      if (batch.length === PAGE) await flush();
    }
    await flush();
    this.dispose();
    return noted;
  }

  dispose(): void {
    this.#pending.dispose();
  }
}

function changeOfVersion(version: VersionEntry): VersionChange {
  const { deleteMarker, etag, size, mtimeMs, versionId } = version;
  const action = deleteMarker ? 'mark' : 'copy';
  return { version: nameOfVersion(version), action, etag, size, mtimeMs, versionId };
}

function knownKeys({ outbox }: Versioned, gone: (row: { key: string }) => Promise<void> | void) {
  const page = async (after: string | undefined) => (await outbox.versionedKeys(after, PAGE)).map((key) => ({ key }));
  return new KnownKeys(page, gone);
}

/** Of all keys, in order. @throws what damaged rows mean: the list is incomplete */
async function* listed(versioned: Versioned): AsyncGenerator<VersionEntry> {
  const onDamaged = (fault: XsyncError): void => {
    throw fault;
  };
  const { signal } = versioned;
  for await (const version of orderedVersions(versioned, { single: false, listed: () => {}, signal, onDamaged })) {
    if (version.key !== '') yield version;
  }
}

/** A second list: what it does not have either is gone. It is guarded as the first one, which may have seen more. */
async function noteGone(versioned: Versioned, limits: DeleteLimits & { known: number }): Promise<void> {
  const { outbox, text } = versioned;
  let [keys, gone] = [0, 0];
  let last: string | undefined;
  const found: string[] = [];
  const flush = async (): Promise<void> => {
    for (const key of found.splice(0)) await outbox.noteGone(key);
  };
  const known = knownKeys(versioned, async ({ key }) => {
    refuseDeletes(text, { listed: keys, gone: ++gone }, limits);
    found.push(key);
    // Those before it have been read.
    if (found.length === PAGE) await flush();
  });
  for await (const { key } of listed(versioned)) {
    if (key === last) continue;
    last = key;
    keys++;
    await known.seek(key);
  }
  await known.rest();
  await flush();
}
