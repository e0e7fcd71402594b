import { describe, expect, it } from 'vitest';
import { parseEncryption } from '../../src/model/encryption.js';

describe('--sse', () => {
  it.each([
    ['none', { method: 'none' }],
    ['aes256', { method: 'aes256' }],
    ['AES256', { method: 'aes256' }],
    ['kms', { method: 'kms' }],
    ['aws:kms', { method: 'kms' }],
    ['kms:alias/photos', { method: 'kms', keyId: 'alias/photos' }],
    [
      'kms:arn:aws:kms:us-east-1:123456789012:key/1',
      { method: 'kms', keyId: 'arn:aws:kms:us-east-1:123456789012:key/1' },
    ],
    ['SM4', { method: 'sm4' }],
  ])('%s', (text, expected) => {
    expect(parseEncryption(text)).toEqual(expected);
  });

  it.each(['', 'aes', 'aes256:key', 'none:', 'kms:', 'kms:two words', 'aws:kms:dsse\r\nx: y', 'sm4:key'])(
    'refuses %j',
    (text) => {
      expect(() => parseEncryption(text)).toThrow(/--sse/);
    },
  );
});
