/** Finds out why a HEAD was refused. Tests: test/store/refused.test.ts */
import { isUnexplained, isXsyncError, XsyncError } from '../../model/error.js';

/** Codes of a HEAD's refusal that only its status says. The status alone explains the others. */
const VAGUE = ['invalid-response', 'access-denied', 'bad-credentials'] as const;

/**
 * The error response to a HEAD has no body, so an ended session, a missing right and a customer's encryption key look
 * alike (a bare 400 or 403). A GET of one byte is refused for the same reason, and its body tells it. One object per
 * store.
 */
export class HeadExplainer {
  /** A GET has explained that these credentials lack a right. The next bare 403 is not asked again. */
  #forbidden = false;

  /**
   * Returns the result of `head`, or of `getByte` if `head` is refused without a reason and `getByte` is not.
   * @throws the error of `getByte` if it tells the reason, otherwise that of `head`
   */
  async ask<T>(head: () => Promise<T>, getByte: () => Promise<T>): Promise<T> {
    try {
      return await head();
    } catch (error) {
      if (!isXsyncError(error, ...VAGUE) || !isUnexplained(error)) throw error;
      if (this.#forbidden && error.code === 'access-denied') throw lasting(error);
      return await this.#explained(error, getByte);
    }
  }

  async #explained<T>(bare: XsyncError, getByte: () => Promise<T>): Promise<T> {
    try {
      return await getByte();
    } catch (error) {
      if (!isXsyncError(error)) throw error;
      // Refused without a reason again, or an empty object, which has no first byte.
      if (isUnexplained(error) || error.code === 'truncated') throw bare;
      this.#forbidden ||= error.code === 'access-denied' && error.class === 'person';
      throw error;
    }
  }
}

/** The error of a right that is known to be missing. */
function lasting({ code, message, subject, status, remedy }: XsyncError): XsyncError {
  return new XsyncError(code, message, { subject, status, remedy, class: 'person' });
}
