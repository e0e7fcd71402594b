/** Describes the objects of a page. Tests: test/store/urls/store.test.ts */
import { toXsyncError } from '../../model/error.js';
import type { ObjectEntry } from '../../model/object.js';
import type { UrlLine } from './lines.js';

/** Requests in flight. */
const AT_ONCE = 16;
/** A server that does not answer must not hold up the others for long. */
const ATTEMPTS = 3;
const WAIT_MS = 200;

/**
 * Asks for each object. One that cannot be described is an entry with the fault, so that the others are copied.
 * @throws aborted
 */
export async function describeAll(
  lines: readonly UrlLine[],
  signal: AbortSignal | undefined,
  describe: (line: UrlLine) => Promise<ObjectEntry>,
): Promise<ObjectEntry[]> {
  const entries: ObjectEntry[] = [];
  const left = lines.entries();
  const work = async (): Promise<void> => {
    for (const [at, line] of left) entries[at] = await describeOne(line, signal, describe);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return entries;
}

async function describeOne(
  line: UrlLine,
  signal: AbortSignal | undefined,
  describe: (line: UrlLine) => Promise<ObjectEntry>,
): Promise<ObjectEntry> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await describe(line);
    } catch (error) {
      const fault = toXsyncError(error);
      if (signal?.aborted || fault.code === 'aborted') throw error;
      if (fault.class !== 'temporary' || attempt === ATTEMPTS) {
        return { key: line.key, size: 0, etag: '', mtimeMs: 0, special: 'other', fault };
      }
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS * 2 ** attempt));
    }
  }
}
