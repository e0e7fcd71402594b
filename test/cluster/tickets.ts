import { type CopyTicket, TICKET_VERSION } from '../../src/model/ticket.js';

export function copyTicket(key: string, size: number, partSize = size): CopyTicket {
  const place = (bucket: string) => ({ kind: 's3', endpoint: 'http://s3.test', bucket });
  return {
    version: TICKET_VERSION,
    action: 'copy',
    key,
    source: { place: place('from'), key, etag: `"${key}-${size}"`, size, mtimeMs: 1000 },
    dest: { place: place('to'), key },
    way: 'client',
    cut: { partSize, parts: Math.ceil(size / partSize) },
    attempts: 3,
  };
}
