/**
 * The checks of `--write`: one small object, one multipart upload, and a timed upload. All are deleted afterwards.
 * Tests: test/doctor/place.test.ts
 */
import { randomBytes } from 'node:crypto';
import type { ObjectStore, UploadRef } from '../store/port.js';
import { attempt, type Finding, faulty, ok, warn } from './finding.js';
import { allow, type PlaceOptions } from './place-options.js';
import { judgeRate, measure, PIECE } from './throughput.js';

export async function* tryWriting(store: ObjectStore, options: PlaceOptions): AsyncGenerator<Finding, void, void> {
  // The random name cannot exist yet, so nothing is overwritten.
  const key = `${options.prefix}.xsync-doctor-${randomBytes(8).toString('hex')}`;
  const written: string[] = [];
  let removal: Finding | undefined;
  try {
    yield* putAndMeasure(store, options, key, written);
  } finally {
    // Without the signal, because it must also run after an interruption.
    removal = await remove(store, options, written);
  }
  if (removal !== undefined) yield removal;
}

/** @param written receives the keys to delete */
async function* putAndMeasure(
  store: ObjectStore,
  options: PlaceOptions,
  key: string,
  written: string[],
): AsyncGenerator<Finding, void, void> {
  const { probeBytes, signal } = options;
  // Recorded first: the store may have executed an interrupted request.
  written.push(key);
  const put = await attempt(() => store.put(key, randomBytes(1024), { signal }));
  if ('error' in put) {
    if (put.error.class !== 'temporary') written.pop();
    yield faulty('write', put.error, allow(store, options, 'write'));
    return;
  }
  yield ok('write', 'allowed: put an object of 1 KiB');
  if (store.capabilities.local) return;
  yield await tryParts(store, options, `${key}-parts`);
  if (probeBytes === 0) return;
  const body = randomBytes(Math.min(probeBytes, PIECE));
  const measured = await measure(probeBytes, async (offset, size) => {
    const name = `${key}-${offset}`;
    written.push(name);
    await store.put(name, body.subarray(0, size), { signal });
  });
  yield judgeRate('upload', measured);
}

async function remove(
  store: ObjectStore,
  options: PlaceOptions,
  keys: readonly string[],
): Promise<Finding | undefined> {
  if (keys.length === 0) return undefined;
  const result = await attempt(() => store.delete(keys));
  const failures = 'value' in result ? result.value : keys.map((key) => ({ key, error: result.error }));
  const [first] = failures;
  if (first === undefined) return ok('delete', 'allowed: deleted what was put');
  const left = failures.map(({ key }) => key).join(', ');
  return warn(
    'delete',
    `${first.error.message}; not deleted: ${left}`,
    `${allow(store, options, 'delete')} Delete them manually.`,
  );
}

/** Creates an upload, sends a part, lists it and aborts. This creates no object. */
async function tryParts(store: ObjectStore, options: PlaceOptions, key: string): Promise<Finding> {
  const begun = await attempt(() => store.createUpload(key, { signal: options.signal }));
  if ('error' in begun) return faulty('multipart', begun.error, allow(store, options, 'write'));
  const upload = begun.value;
  let finding: Finding;
  try {
    finding = await tryPart(store, options, upload);
  } finally {
    const aborted = await attempt(() => store.abortUpload(upload));
    if ('error' in aborted) {
      finding = faulty('multipart', aborted.error, `${allow(store, options, 'abort uploads')} Then run xsync cleanup.`);
    }
  }
  return finding;
}

async function tryPart(store: ObjectStore, options: PlaceOptions, upload: UploadRef): Promise<Finding> {
  const { signal } = options;
  const sent = await attempt(() => store.uploadPart(upload, 1, randomBytes(1024), { signal }));
  if ('error' in sent) return faulty('multipart', sent.error, allow(store, options, 'write'));
  const listed = await attempt(() => store.listParts(upload, { signal }));
  if ('error' in listed) {
    return faulty('multipart', listed.error, `${allow(store, options, 'list parts')} Resuming requires it.`, 'warn');
  }
  return ok('multipart', 'allowed: created an upload, sent a part, aborted it');
}
