/** Tests: test/store/urls/store.test.ts */
import { XsyncError } from '../../model/error.js';
import type { HttpResponse } from '../http/message.js';

/**
 * The whole object's size in bytes.
 * @param at `offset` of the bytes; `known`: the size, if the list or an earlier response told it
 * @throws invalid-response: another range than the one from `offset` on, or no size
 */
export function sizeOf(
  key: string,
  answer: Omit<HttpResponse, 'body'>,
  { offset, known }: { offset: number; known: number | undefined },
): number {
  const { status, headers, received, cut } = answer;
  if (status === 206) {
    const range = /^bytes (\d+)-\d+\/(\d{1,15})$/.exec(headers['content-range'] ?? '');
    if (range === null || Number(range[1]) !== offset) {
      throw new XsyncError('invalid-response', `${key}: the server returned another range than requested`, {
        subject: key,
        status,
      });
    }
    return Number(range[2]);
  }
  const length = headers['content-length'];
  if (length !== undefined && /^\d{1,15}$/.test(length)) return Number(length);
  if (!cut) return offset + received;
  if (known !== undefined) return known;
  throw new XsyncError('unsupported', `${key}: the server does not tell the size`, {
    subject: key,
    remedy: 'Put the size of the object into the list.',
  });
}
