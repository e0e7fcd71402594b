import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bridgeSecrets } from '../../src/bridge/keys.js';
import { signRequest, signResponse, verifyRequest, verifyResponse, WINDOW_MS } from '../../src/bridge/signature.js';

const [OLD, NEW] = ['o'.repeat(32), 'n'.repeat(32)];
const REQUEST = { method: 'POST', path: '/v1/tickets?x', body: '{"é":1}' };
const NOW = 1_800_000_000_000;

describe('a signed request', () => {
  const { header, nonce } = signRequest(NEW, REQUEST, NOW);

  it('has the HMAC of what it says', () => {
    const sum = createHash('sha256').update(REQUEST.body).digest('hex');
    const text = ['request', 'POST', '/v1/tickets?x', '1800000000', nonce, sum].join('\n');
    const v1 = createHmac('sha256', NEW).update(text).digest('hex');
    expect(header).toBe(`XSYNC-HMAC-SHA256 t=1800000000,nonce=${nonce},v1=${v1}`);
  });

  it('is accepted with each secret that is valid, within the window', () => {
    for (const ms of [NOW - WINDOW_MS, NOW, NOW + WINDOW_MS]) {
      expect(verifyRequest([OLD, NEW], REQUEST, header, ms)).toEqual({ nonce, secret: NEW, atMs: NOW });
    }
  });

  it.each([
    ['another time', NOW + WINDOW_MS + 1, REQUEST, header, 'time'],
    ['another body', NOW, { ...REQUEST, body: '{}' }, header, 'signature'],
    ['another path', NOW, { ...REQUEST, path: '/v1/tickets' }, header, 'signature'],
    ['another method', NOW, { ...REQUEST, method: 'GET' }, header, 'signature'],
    ['another nonce', NOW, REQUEST, header.replace(nonce, 'f'.repeat(32)), 'signature'],
    ['a later time in it', NOW, REQUEST, header.replace('t=18', 't=19'), 'signature'],
    ['no header', NOW, REQUEST, undefined, 'unsigned'],
    ['a short sum', NOW, REQUEST, header.slice(0, -1), 'unsigned'],
  ])('is refused with %s', (_, ms, request, given, refused) => {
    expect(verifyRequest([NEW], request, given, ms)).toEqual({ refused });
  });

  it('is refused with a secret that is no longer valid', () => {
    expect(verifyRequest([OLD], REQUEST, header, NOW)).toEqual({ refused: 'signature' });
  });
});

it('a response is that of the request, by somebody with the secret', () => {
  const header = signResponse(NEW, 'nonce', 202, 'body');
  expect(verifyResponse(NEW, 'nonce', { status: 202, body: 'body', header })).toBe(true);
  expect(verifyResponse(NEW, 'other', { status: 202, body: 'body', header })).toBe(false);
  expect(verifyResponse(NEW, 'nonce', { status: 200, body: 'body', header })).toBe(false);
  expect(verifyResponse(OLD, 'nonce', { status: 202, body: 'body', header })).toBe(false);
  expect(verifyResponse(NEW, 'nonce', { status: 202, body: 'body', header: undefined })).toBe(false);
});

it('secrets come from a file or a variable, and are long', () => {
  const directory = mkdtempSync(join(tmpdir(), 'xsync-keys-'));
  const file = join(directory, 'secret');
  writeFileSync(file, `${NEW}\n${OLD}\n`);
  expect(bridgeSecrets(file, {})).toEqual([NEW, OLD]);
  expect(bridgeSecrets(undefined, { XSYNC_BRIDGE_SECRET: `${NEW} ${OLD}` })).toEqual([NEW, OLD]);
  writeFileSync(file, 'short');
  expect(() => bridgeSecrets(file, {})).toThrow(`a secret in ${file} is shorter than 32 characters`);
  expect(() => bridgeSecrets(undefined, {})).toThrow('there is no secret that both ends share');
  expect(() => bridgeSecrets(`${file}.no`, {})).toThrow('cannot be read: no such file');
  rmSync(directory, { recursive: true });
});
