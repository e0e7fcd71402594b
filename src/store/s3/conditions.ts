/**
 * Conditions of writes: the key must still hold the version that is to be replaced
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
 */
import { isXsyncError, XsyncError } from '../../model/error.js';

export interface Condition {
  ifMatch?: string;
  ifNoneMatch?: '*';
}

export class WriteConditions {
  readonly #supported: boolean;
  #denied = false;

  constructor(supported: boolean) {
    this.#supported = supported;
  }

  /**
   * Makes the write with its condition. If-Match needs the right to read the object. Credentials without it write
   * without a condition: then the write is sent twice, once per store.
   * @param options as in `PutOptions`
   * @throws precondition-failed, unsupported, and what `send` throws
   */
  async write<T>(
    { replaces, strict }: { replaces?: string; strict?: true },
    send: (condition: Condition) => Promise<T>,
  ): Promise<T> {
    if (strict && !this.#supported) throw new XsyncError('unsupported', 'the store does not compare what it replaces');
    if (!this.#supported || replaces === undefined) return send({});
    if (replaces === '') return send({ ifNoneMatch: '*' });
    if (this.#denied && !strict) return send({});
    try {
      return await send({ ifMatch: replaces });
    } catch (error) {
      if (isXsyncError(error, 'object-not-found')) {
        throw new XsyncError('precondition-failed', error.message, { subject: error.subject, cause: error });
      }
      if (strict || !isXsyncError(error, 'access-denied')) throw error;
      const result = await send({});
      this.#denied = true;
      return result;
    }
  }
}

/** The condition as headers. */
export function conditionHeaders({ ifMatch, ifNoneMatch }: Condition): Record<string, string> {
  if (ifMatch !== undefined) return { 'if-match': `"${ifMatch}"` };
  return ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch };
}
