import { expect, it } from 'vitest';
import { expiryOf } from '../../../src/store/urls/expiry.js';

const AT = Date.UTC(2026, 0, 2, 3, 4, 5);

it.each([
  ['S3', 'https://b.s3.amazonaws.com/k?X-Amz-Date=20260102T030405Z&X-Amz-Expires=60&X-Amz-Signature=s', AT + 60_000],
  ['OSS', 'https://b.oss-cn-hangzhou.aliyuncs.com/k?x-oss-date=20260102T030405Z&x-oss-expires=60', AT + 60_000],
  ['Google', 'https://storage.googleapis.com/b/k?X-Goog-Date=20260102T030405Z&X-Goog-Expires=60', AT + 60_000],
  ['version 1 of OSS and 2 of S3', `https://b.h/k?Expires=${AT / 1000}&Signature=s`, AT],
  ['Azure', 'https://a.blob.core.windows.net/c/k?se=2026-01-02T03%3A04%3A05Z&sig=s', AT],
  ['a public URL', 'https://h/k?expires=soon&se=2026-01-02', undefined],
])('reads when a URL of %s ends', (_, url, ms) => {
  expect(expiryOf(url)).toBe(ms);
});
