/** Signs that a listing is wrong. They hold the deletes of the pass back. */
import { compareKeys } from '../../model/key.js';
import type { ObjectEntry } from '../../model/object.js';
import { PageGuard } from '../../model/paging.js';
import type { RunSide } from '../pair.js';
import type { RunContext } from './context.js';

/** The source is asked whether its listing has really ended if so many known keys would follow, and such a share. */
const MANY_BEYOND = 10;
const PERCENT_BEYOND = 5;

/** The first sign that a listing of a run with deletes is wrong. Named keys are not listed. */
export function oddityOf({ options, pass }: Pick<RunContext, 'options' | 'pass'>): string | undefined {
  return options.deletes && options.only === undefined ? pass.oddity : undefined;
}

/** Asks once more for what follows the source's last key, if the manifest knows a good part of its keys there. */
export async function doubtEarlyEnd({ census, options, pair, pass, halt }: RunContext): Promise<void> {
  const { store, prefix, text } = pair.source;
  const { last, beyond } = census;
  const listed = options.only === undefined && options.filter?.files === undefined && !pair.single;
  if (!listed || pair.source.inventory || last === undefined || store.capabilities.orderedListing !== 'yes') return;
  if (beyond < MANY_BEYOND || beyond * 100 < pair.manifest.count() * PERCENT_BEYOND) return;
  const more = await firstPage(pair.source, halt.listings, last);
  if (!more.some(({ key }) => compareKeys(key, prefix + last) > 0)) return;
  pass.oddity ??= `the listing of ${text} ended after ${JSON.stringify(last)}, and there are more keys`;
}

/** The first page of a side's listing that is not empty; empty if there is none. @param after relative to the prefix */
export async function firstPage(
  { store, prefix, text }: RunSide,
  signal: AbortSignal,
  after?: string,
): Promise<readonly ObjectEntry[]> {
  const startAfter = after === undefined ? undefined : prefix + after;
  const guard = new PageGuard(text);
  for (let token: string | undefined; ; ) {
    const page = await store.list({ prefix, startAfter, token, signal });
    token = page.nextToken;
    guard.follow({ token });
    if (page.entries.length > 0 || token === undefined) return page.entries;
  }
}
