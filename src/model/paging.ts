/** Notices a listing that never ends, in constant memory. */
import { XsyncError } from './error.js';

/** Pages in a row without anything new. A bucket full of deleted versions can have some, at 1000 keys a page. */
export const MOST_EMPTY_PAGES = 1000;

export interface SeenPage {
  /** The first and the last entry: a key, an upload or a part. Absent for a page without entries. */
  first?: string | number;
  last?: string | number;
  /** Continues the listing; absent on the last page. */
  token?: string;
}

/**
 * Watches the pages of one listing, which are requested one after the other. A faulty store may ignore the token, or
 * return tokens that lead in a circle. A page is compared with one earlier page: the 1st, the 2nd, the 4th, the 8th and
 * so on (Brent's algorithm), which finds a circle of any length.
 */
export class PageGuard {
  readonly #what: string;
  #pages = 0;
  #compared: SeenPage = {};
  #last: SeenPage['last'];
  #empty = 0;

  /** @param what what is listed, for messages: `s3:bucket` */
  constructor(what: string) {
    this.#what = what;
  }

  /** Call it with each page. @throws invalid-response: the listing goes in circles, or goes on without anything new */
  follow(page: SeenPage): void {
    const { first, token } = this.#compared;
    if (page.token !== undefined && page.token === token) throw this.#endless('repeats a continuation token');
    if (page.first !== undefined && page.first === first) throw this.#endless('repeats a page');
    if ((++this.#pages & (this.#pages - 1)) === 0) this.#compared = page;
    this.count(page);
  }

  /** Only counts pages without anything new: for pages that are requested side by side. @throws invalid-response */
  count({ last, token }: SeenPage): void {
    const fresh = last !== undefined && last !== this.#last;
    this.#last = last ?? this.#last;
    this.#empty = fresh ? 0 : this.#empty + 1;
    if (token === undefined || this.#empty < MOST_EMPTY_PAGES) return;
    throw this.#endless(`has ${MOST_EMPTY_PAGES} pages in a row without anything new`);
  }

  #endless(why: string): XsyncError {
    return new XsyncError('invalid-response', `the listing of ${this.#what} ${why}`, {
      subject: this.#what,
      remedy: 'The store does not follow the protocol of its listings: report this to its provider.',
    });
  }
}
