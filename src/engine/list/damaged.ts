/** Rows of a listing that name no object of the side: each is reported once, and the others are used. */
import { XsyncError } from '../../model/error.js';
import type { ListPage } from '../../store/port.js';

/** A listing with more such rows is not usable: the store may ignore the prefix. */
const MOST = 100;

export const INCOMPLETE = "Compare with a listing by the service's own tools: an object may be missing from this one.";

interface Rows<E> extends Pick<ListPage, 'prefixes' | 'damaged'> {
  entries: E[];
}

export class DamagedRows {
  readonly #side: { prefix: string; text: string };
  readonly #report: (fault: XsyncError) => void;
  /** Pages may be read more than once. */
  readonly #reported = new Set<string>();

  /** @param report called once for each row */
  constructor(side: { prefix: string; text: string }, report: (fault: XsyncError) => void) {
    this.#side = side;
    this.#report = report;
  }

  /** @throws invalid-response: there are too many such rows */
  without<E extends { key: string }, R>(page: R & Rows<E>): R & Rows<E> {
    const { prefix } = this.#side;
    for (const what of page.damaged ?? []) this.#add(`has ${what}`);
    if (prefix === '') return page;
    const isOutside = (key: string): boolean => !key.startsWith(prefix);
    const outside = [...page.entries.map(({ key }) => key), ...page.prefixes].filter(isOutside);
    if (outside.length === 0) return page;
    for (const key of outside) this.#add(`contains ${JSON.stringify(key)}, which is outside the prefix`);
    const entries = page.entries.filter(({ key }) => !isOutside(key));
    return { ...page, entries, prefixes: page.prefixes.filter((folder) => !isOutside(folder)) };
  }

  #add(what: string): void {
    if (this.#reported.has(what)) return;
    if (this.#reported.size === MOST) throw this.#fault(`has more than ${MOST} rows that name no object of it`);
    this.#reported.add(what);
    this.#report(this.#fault(what));
  }

  #fault(what: string): XsyncError {
    const { text } = this.#side;
    return new XsyncError('invalid-response', `the listing of ${text} ${what}`, { subject: text, remedy: INCOMPLETE });
  }
}
