/** How a store differs from Amazon S3: known from its preset, or noticed once and remembered for the whole run. */
import { isXsyncError, type XsyncError } from '../../model/error.js';

/** Each with what is done instead, for the message at `-v`. */
const INSTEAD = {
  'list-v1': 'there is no ListObjectsV2, so ListObjects is used',
  'no-encoding-type': 'listings do not encode keys, so encoding is not requested',
  'no-encoded-uploads': 'listings of uploads do not encode keys, so encoding is not requested',
  'no-if-match': 'If-Match is not usable, so the ETag of each response is compared instead',
  'no-range': 'Range is ignored, so each part is cut out of the whole object, which is read up to its end',
  'no-copy-object': 'there is no CopyObject, so objects are read and written',
  'no-part-copy': 'there is no UploadPartCopy, so large objects are read and written',
  'no-copy-if-match': 'x-amz-copy-source-if-match is ignored, so a HEAD is sent before each server-side copy',
  'no-delete-objects': 'there is no DeleteObjects, so objects are deleted one by one',
  'no-list-parts': 'there is no ListParts, so an interrupted upload starts again',
  'no-list-uploads': 'there is no ListMultipartUploads, so unfinished uploads cannot be found',
  'no-list-versions': 'there is no ListObjectVersions, so older versions cannot be found',
  'no-multipart': 'there are no multipart uploads, so each object is written in one request',
  'no-head': 'HEAD is refused, so the first byte is read instead',
  'no-put-etag': 'the response to a write has no ETag, so a HEAD is sent after it',
  'no-read-etag': 'the response to a read has no ETag, so a HEAD is sent after it',
  'short-heads': 'responses to HEAD lack size, time or ETag, so the first byte is read as well',
  'short-rows': 'listings lack size, time or ETag, so a HEAD is sent for each such object',
  'unpacks-gzip': 'objects with Content-Encoding gzip are unpacked unless gzip is requested',
} as const;

export type Quirk = keyof typeof INSTEAD;

export const QUIRKS: readonly Quirk[] = Object.keys(INSTEAD).filter(isQuirk);

export function isQuirk(name: string): name is Quirk {
  return Object.hasOwn(INSTEAD, name);
}

/** What refuses a call that a store does not have. Some stores answer 400 with a code of their own. */
const NOT_THERE = new Set([405, 501]);
const NOT_THERE_CODES = new Set(['NotImplemented', 'MethodNotAllowed', 'NotSupported', 'UnsupportedOperation']);

/** Whether the service does not have this call. */
export function isMissingCall(error: unknown): boolean {
  if (!isXsyncError(error) || error.status === undefined || error.code === 'object-not-found') return false;
  if (NOT_THERE.has(error.status) || error.code === 'unsupported') return true;
  return error.serviceCode !== undefined && NOT_THERE_CODES.has(error.serviceCode);
}

/** Codes of a 400 that says nothing about the call itself, so that another form of it would be refused as well. */
const ABOUT_THE_REQUEST =
  /Digest|Mismatch|Token|Expired|Signature|AccessKey|Authorization|TimeToo|Timeout|IncompleteBody|Bucket|Region|Location|KMS|Encryption|Throttl|SlowDown|Key(TooLong)?Error/i;

/** Whether the service refuses the form of a request, so that another form is worth trying. */
export function isRefusedForm(error: unknown): error is XsyncError {
  if (isMissingCall(error)) return true;
  if (!isXsyncError(error) || error.status !== 400) return false;
  if (error.code === 'unsupported-object' || error.code === 'attribute-refused') return false;
  // The response to a HEAD has no code.
  return error.serviceCode === undefined || !ABOUT_THE_REQUEST.test(error.serviceCode);
}

export class Quirks {
  readonly #known: Set<Quirk>;
  readonly #tell: (message: string) => void;

  /** @param tell called once for each quirk that is noticed */
  constructor(known: readonly Quirk[], tell: (message: string) => void = () => undefined) {
    this.#known = new Set(known);
    this.#tell = tell;
  }

  has(quirk: Quirk): boolean {
    return this.#known.has(quirk);
  }

  notice(quirk: Quirk): void {
    if (this.#known.has(quirk)) return;
    this.#known.add(quirk);
    this.#tell(INSTEAD[quirk]);
  }

  /**
   * Makes a call, or another in its place if the store lacks it. What was only refused counts as lacking once the other
   * call has succeeded.
   */
  without<T>(quirk: Quirk, call: () => Promise<T>, instead: () => Promise<T>): Promise<T> {
    if (this.#known.has(quirk)) return instead();
    return call().catch(async (error: unknown) => {
      if (!isRefusedForm(error)) throw error;
      const answer = await instead();
      // A 400 without a reason may have concerned this request alone.
      if (isMissingCall(error) || error.serviceCode !== undefined) this.notice(quirk);
      return answer;
    });
  }
}
