/**
 * Deletes: the request and response of DeleteObjects, and single requests where it does not fit or does not exist.
 * Tests: test/store/s3/contract.test.ts
 */
import { isXsyncError, toXsyncError, XsyncError } from '../../model/error.js';
import { inParallel } from '../../model/parallel.js';
import { isWebPage, readXml, xmlRoot } from '../http/xml.js';
import type { DeleteCallOptions, DeleteFailure } from '../port.js';
import type { S3Calls } from './calls.js';
import { escapeXml, fitsXml, isKey } from './encode.js';
import { itemError } from './errors.js';
import { isMissingCall, isRefusedForm, type Quirks } from './quirks.js';

/** Single deletes in flight. */
const SINGLE = 8;

/** A bad key fails alone: what XML cannot name is deleted in a request of its own. */
export async function deleteKeys(
  calls: S3Calls,
  quirks: Quirks,
  keys: readonly string[],
  nul: boolean,
  options: DeleteCallOptions,
): Promise<DeleteFailure[]> {
  const inBatch = (key: string): boolean => isKey(key, nul) && fitsXml(key);
  const batch = keys.filter(inBatch);
  const single = keys.filter((key) => !inBatch(key));
  const failures = batch.length > 0 ? await deleteBatch(calls, quirks, batch, options) : [];
  return [...failures, ...(await deleteSingly(calls, single, options))];
}

async function deleteBatch(
  calls: S3Calls,
  quirks: Quirks,
  keys: readonly string[],
  options: DeleteCallOptions,
): Promise<DeleteFailure[]> {
  const one = () => deleteSingly(calls, keys, options);
  const many = async () => {
    const failures = await calls.deleteMany(keys, options);
    // A failure that names no key of ours is somebody's: only single requests tell whose.
    const ours = new Set(keys);
    return failures.every(({ key }) => ours.has(key)) ? failures : one();
  };
  if (quirks.has('no-delete-objects')) return one();
  try {
    return await many();
  } catch (error) {
    if (isMissingCall(error)) quirks.notice('no-delete-objects');
    // One key may have been the reason, so the next batch is tried again.
    else if (!isRefusedForm(error)) throw error;
    return one();
  }
}

async function deleteSingly(
  calls: S3Calls,
  keys: readonly string[],
  options: DeleteCallOptions,
): Promise<DeleteFailure[]> {
  const failures = await inParallel(keys, SINGLE, async (key): Promise<DeleteFailure[]> => {
    try {
      await calls.deleteOne(key, options);
    } catch (error) {
      if (isXsyncError(error, 'aborted')) throw error;
      if (!isXsyncError(error, 'object-not-found')) return [{ key, error: toXsyncError(error) }];
    }
    return [];
  });
  return failures.flat();
}

const SHAPE = { root: 'DeleteResult', fields: [], lists: { Error: ['Key', 'Code', 'Message'] } } as const;

/** Quiet mode: the response lists failures only. A key with an ETag is deleted only if that is its version. */
export function deleteBody(keys: readonly string[], etags: ReadonlyMap<string, string> | undefined): string {
  const objects = keys
    .map((key) => `<Object><Key>${escapeXml(key)}</Key>${etagElement(etags?.get(key))}</Object>`)
    .join('');
  return `<?xml version="1.0" encoding="UTF-8"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>${objects}</Delete>`;
}

function etagElement(etag: string | undefined): string {
  return etag === undefined ? '' : `<ETag>${escapeXml(`"${etag}"`)}</ETag>`;
}

/** The keys that were not deleted. A missing key is not a failure. */
export function readDeleteFailures(body: Buffer): DeleteFailure[] {
  mustBeAnswerTo(body, 'DeleteResult');
  const { Error: errors } = readXml(body, SHAPE).lists;
  return errors
    .filter(({ Code }) => Code !== 'NoSuchKey')
    .map(({ Key = '', Code, Message }) => ({ key: Key, error: itemError(Key, Code, Message) }));
}

/**
 * A store that does not know a call may take it for another one, and answer that. Errors and web pages are left to the
 * reader of the response.
 * @throws unsupported
 */
export function mustBeAnswerTo(body: Buffer, root: string): void {
  const found = body.length === 0 ? undefined : xmlRoot(body);
  if (found === root || found === 'Error' || (found === undefined && body.length > 0) || isWebPage(body)) return;
  throw new XsyncError('unsupported', `the store answered another call: its response has no <${root}>`, {
    status: 200,
  });
}
