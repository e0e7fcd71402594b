import { expect, test } from 'vitest';
import { plain, spooled, thrown, unspooled } from '../../../src/engine/list/spooled.js';
import { XsyncError } from '../../../src/model/error.js';

test('an entry comes back as it was, with its fault', () => {
  const entry = { key: 'a', size: 1, etag: 'e', mtimeMs: 2 };
  expect(unspooled(spooled(entry))).toEqual(entry);
  const fault = new XsyncError('not-readable', 'it cannot be read', { subject: 'a', remedy: 'Look.' });
  const { fault: back, ...rest } = unspooled(spooled({ ...entry, fault }));
  expect(rest).toEqual(entry);
  expect(back).toMatchObject({ code: 'not-readable', message: fault.message, subject: 'a', remedy: 'Look.' });
  expect(thrown(plain(fault)).class).toBe(fault.class);
});
