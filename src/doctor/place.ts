/** Tries in one location what a run would do, through the store port, and yields a finding for each result. */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { isXsyncError, type XsyncError } from '../model/error.js';
import type { ObjectEntry } from '../model/object.js';
import type { ObjectCatalog, ObjectStore } from '../store/port.js';
import { attempt, type Finding, fail, faulty, ok, skip, warn } from './finding.js';
import { allow, type PlaceOptions } from './place-options.js';
import { milliseconds } from './text.js';
import { judgeRate, measureDownload } from './throughput.js';
import { tryWriting } from './writing.js';

/** @throws aborted: when the signal fires */
export async function* checkPlace(store: ObjectStore, options: PlaceOptions): AsyncGenerator<Finding, void, void> {
  const { prefix, write, probeBytes, signal } = options;
  const bucket = await attempt(() => store.checkBucket({ signal }));
  const { findings, stop } = judgeBucket(store, options, 'error' in bucket ? bucket.error : undefined);
  yield* findings;
  if (stop) return;
  const page = await attempt(() => store.list({ prefix, signal }));
  const entries = 'value' in page ? page.value.entries : [];
  yield 'value' in page
    ? judgeListing(entries, page.value.nextToken !== undefined)
    : faulty('list', page.error, allow(store, options, 'list'));
  yield await tryReading(store, entries, options);
  if (write) yield* tryWriting(store, options);
  else yield skip('write', 'not checked: --write puts small objects there and deletes them');
  // The disk's cache would be measured.
  if (store.capabilities.local) return;
  yield await measureLatency(store, prefix, signal);
  if (probeBytes > 0) yield judgeRate('download', await measureDownload(store, entries, probeBytes, signal));
}

/** Errors that concern the credentials. */
const NOT_KNOWN = ['bad-credentials', 'expired-credentials'] as const;

function judgeBucket(
  { capabilities, identity }: Pick<ObjectStore, 'capabilities' | 'identity'>,
  { credentials }: PlaceOptions,
  error: XsyncError | undefined,
): { findings: Finding[]; stop: boolean } {
  if (capabilities.local) {
    if (error === undefined) return { findings: [ok('folder', 'exists')], stop: false };
    const missing = isXsyncError(error, 'bucket-not-found');
    const remedy = 'Create it to use it as a source. A run creates it as a destination.';
    const finding = missing
      ? warn('folder', 'does not exist', remedy, { values: { code: error.code } })
      : faulty('folder', error, 'Give this user permission to read it.');
    return { findings: [finding], stop: true };
  }
  const kind = credentials ?? 'unknown';
  if (error === undefined) {
    const accepted = ok('credentials', `${kind}, accepted`, { kind });
    return { findings: [accepted, ok('bucket', `${identity.bucket} exists, in the right region`)], stop: false };
  }
  if (isXsyncError(error, ...NOT_KNOWN)) {
    const refused = faulty('credentials', error, 'Check the keys of this remote.');
    return { findings: [{ ...refused, found: `${kind}: ${error.message}` }], stop: true };
  }
  const given = skip('credentials', kind);
  // Credentials may lack this permission and have the others, which the next checks show.
  if (isXsyncError(error, 'access-denied')) {
    return { findings: [given, skip('bucket', `no permission to inspect ${identity.bucket} as a whole`)], stop: false };
  }
  const finding = faulty('bucket', error, 'Check endpoint, region and bucket of this remote.');
  return { findings: [given, finding], stop: true };
}

function judgeListing(entries: readonly ObjectEntry[], more: boolean): Finding {
  const count = `${entries.length.toLocaleString('en')} ${entries.length === 1 && !more ? 'object' : 'objects'}`;
  const found =
    entries.length === 0 && !more ? 'allowed; nothing here yet' : `allowed; ${more ? 'more than ' : ''}${count}`;
  return ok('list', found, { objects: entries.length, more });
}

async function tryReading(
  store: ObjectStore,
  entries: readonly ObjectEntry[],
  options: PlaceOptions,
): Promise<Finding> {
  const { signal } = options;
  const entry = entries.find(({ size, special }) => size > 0 && special === undefined);
  if (entry === undefined) return skip('read', 'not checked: no object here to read');
  const result = await attempt(() => store.read(entry.key, new Uint8Array(1), { ifMatch: entry.etag, signal }));
  if ('value' in result) return ok('read', 'allowed');
  return faulty('read', result.error, `${allow(store, options, 'read')} A destination does not need it.`, 'warn');
}

const LATENCY_REQUESTS = 5;

async function measureLatency(store: ObjectCatalog, prefix: string, signal: AbortSignal | undefined): Promise<Finding> {
  const absent = `${prefix}.xsync-doctor-${randomBytes(6).toString('hex')}`;
  const times: number[] = [];
  for (let i = 0; i < LATENCY_REQUESTS; i++) {
    const start = performance.now();
    const result = await attempt(() => store.head(absent, { signal }));
    // An error response takes the same round trip as any other.
    if ('error' in result && result.error.status === undefined && result.error.code !== 'object-not-found') {
      return fail('latency', result.error.message, 'Check the network between this host and the endpoint.');
    }
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const [least = 0] = times;
  const medianMs = times[Math.floor(times.length / 2)] ?? 0;
  const mostMs = times.at(-1) ?? 0;
  const found = `${milliseconds(medianMs)} per request: median of ${times.length}, ${milliseconds(least)} to ${milliseconds(mostMs)}`;
  return ok('latency', found, { medianMs, leastMs: least, mostMs });
}
