import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HmacSha256 } from '../../src/hash/hmac.js';

const latin1 = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

test('is that of OpenSSL, text after text', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.array(latin1, { maxLength: 4 }), (bytes, texts) => {
      const key = Buffer.from(bytes);
      const hmac = new HmacSha256(key);
      for (const text of texts) {
        expect(hmac.of(text)).toBe(createHmac('sha256', key).update(text, 'latin1').digest('hex'));
      }
    }),
  );
});
