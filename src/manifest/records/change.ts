/** Changes of records, however many make them at once. Tests: test/contract/state.test.ts */
import { XsyncError } from '../../model/error.js';
import { inParallel } from '../../model/parallel.js';
import { type Draft, nameText, type RecordName, type Records, type Stored } from './port.js';

/** Requests at once for one call. */
export const AT_ONCE = 16;
/** Each failure means that somebody else has succeeded. */
const TRIES = 100;

export async function getOne(records: Records, name: RecordName): Promise<Stored | undefined> {
  return (await records.get([name])).get(nameText(name));
}

/**
 * Replaces records by what is made of them. Where somebody else comes first, it is made again.
 * @param changes of different records
 * @param changes.next undefined: the record stays
 * @throws throttled: others come first again and again
 */
export async function changeAll(
  records: Records,
  changes: readonly { name: RecordName; next(now: Stored | undefined): Draft | undefined }[],
): Promise<void> {
  const seen = await records.get(changes.map(({ name }) => name));
  await inParallel(changes, AT_ONCE, async ({ name, next }) => {
    let now = seen.get(nameText(name));
    for (let tries = 0; tries < TRIES; tries++) {
      const draft = next(now);
      if (draft === undefined || (await records.swap(name, now, draft))) return;
      now = await getOne(records, name);
    }
    throw new XsyncError('throttled', `${name.group}: others write at the same time, again and again`);
  });
}

/** Writes a record, whatever stands there. */
export function put(records: Records, name: RecordName, draft: Draft): Promise<void> {
  return changeAll(records, [{ name, next: () => draft }]);
}
