import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFeed } from '../../src/feed/index.js';

const secret = 'correct-horse-battery-staple';
const stdin = new PassThrough();
const open = (text: string, env: Record<string, string> = { XSYNC_EVENTS_SECRET: secret }) =>
  openFeed(text, { env, stdin });

describe('what --events can name', () => {
  it.each([
    ['-', 'standard input'],
    ['http://127.0.0.1:8089/events', 'http://127.0.0.1:8089/events'],
    ['http://[::1]:8089', 'http://[::1]:8089/'],
    ['sqs://us-east-1/123456789012/q', 'sqs://us-east-1/123456789012/q'],
    ['https://sqs.us-east-1.amazonaws.com/123456789012/q', 'https://sqs.us-east-1.amazonaws.com/123456789012/q'],
  ])('is %s', (text, name) => {
    expect(open(text).name).toBe(name);
  });

  it('is a port alone, which nobody but this machine can reach', () => {
    expect(open(':8089').name).toBe('http://127.0.0.1:8089/');
    expect(open(':8089/events').name).toBe('http://127.0.0.1:8089/events');
  });

  it.each([['8089'], ['kafka://host/topic'], ['sqs://us-east-1/q'], ['http://'], [':port'], ['']])(
    'is not %j, and a person is told what it can be',
    (text) => {
      expect(() => open(text)).toThrow(
        expect.objectContaining({ code: 'usage', remedy: expect.stringMatching(/8089.*sqs:\/\/.*standard input/) }),
      );
    },
  );

  it('is not HTTPS, of which the person is told how to get it', () => {
    expect(() => open('https://0.0.0.0:8089/')).toThrow(
      expect.objectContaining({ remedy: expect.stringContaining('TLS') }),
    );
  });
});

describe('the secret of the endpoint', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'xsync-secret-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('must be set, or anybody could have objects deleted', () => {
    expect(() => open(':8089', {})).toThrow(
      expect.objectContaining({ code: 'usage', remedy: expect.stringContaining('XSYNC_EVENTS_SECRET') }),
    );
  });

  it('must be long enough not to be guessed', () => {
    expect(() => open(':8089', { XSYNC_EVENTS_SECRET: 'short' })).toThrow('shorter than 16');
  });

  it('is refused on the command line, and not repeated', () => {
    for (const text of [
      `http://127.0.0.1:8089/?token=${secret}`,
      `http://x:${secret}@127.0.0.1:8089/`,
      `https://x:${secret}@h/`,
    ]) {
      expect(() => open(text)).toThrow(
        expect.objectContaining({ code: 'usage', message: expect.not.stringContaining(secret) }),
      );
    }
  });

  it('comes from a file that only its owner can read', async () => {
    const file = join(folder, 'secret');
    await writeFile(file, `${secret}\n`, { mode: 0o600 });
    expect(open(':8089', { XSYNC_EVENTS_SECRET_FILE: file }).name).toBe('http://127.0.0.1:8089/');
    await chmod(file, 0o644);
    expect(() => open(':8089', { XSYNC_EVENTS_SECRET_FILE: file })).toThrow(/open to other users/);
    expect(() => open(':8089', { XSYNC_EVENTS_SECRET_FILE: join(folder, 'none') })).toThrow(/cannot read .*\/none/);
  });
});
