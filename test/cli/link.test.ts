import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import OSS from 'ali-oss';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Lab, openLab } from './lab.js';

let lab: Lab;
const KEYS = ['plain.txt', "odd //key ?#%+é'&=.txt", '漢字/😀'];

beforeEach(async () => {
  lab = await openLab();
  for (const key of KEYS) lab.server.core.s3.put('bucket', key, `<${key}>`);
});

afterEach(async () => {
  vi.useRealTimers();
  await lab.close();
});

const linkTo = async (...args: string[]): Promise<string> => {
  const { code, out, err } = await lab.xsync('link', ...args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out.trimEnd();
};

describe('link to S3', () => {
  it.each(KEYS)('reads %s without credentials', async (key) => {
    const response = await fetch(await linkTo(`lab:bucket/${key}`));
    expect([response.status, await response.text()]).toEqual([200, `<${key}>`]);
  });

  it('expires, and leads nowhere else', async () => {
    const url = new URL(await linkTo('lab:bucket/plain.txt', '--expire', '90s'));
    expect(url.searchParams.get('X-Amz-Expires')).toBe('90');
    expect(new URL(await linkTo('lab:bucket/plain.txt')).searchParams.get('X-Amz-Expires')).toBe('86400');
    expect(new URL(await linkTo('lab:bucket/plain.txt', '--expire', 'off')).searchParams.get('X-Amz-Expires')).toBe(
      '604800',
    );
    expect((await fetch(url, { method: 'PUT', body: 'x' })).status).toBe(403);
    url.pathname = `${url.pathname}x`;
    expect((await fetch(url)).status).toBe(403);
  });

  it('refuses what it cannot link to', async () => {
    expect(await lab.xsync('link', 'lab:bucket/none')).toMatchObject({ code: 4, out: '' });
    expect((await lab.xsync('link', 'lab:bucket')).code).toBe(2);
    lab.server.core.s3.put('bucket', 'a/../up', 'up');
    expect((await lab.xsync('link', 'lab:bucket/a/../up')).err).toContain('has a segment ".."');
    expect((await lab.xsync('link', lab.home)).code).toBe(7);
    for (const time of ['8d', '0', '10ms', 'x']) {
      expect((await lab.xsync('link', 'lab:bucket/plain.txt', '--expire', time)).code).toBe(2);
    }
  });
});

describe('link to OSS', () => {
  const config = (): string => {
    const { endpoint, region, accessKeyId, accessKeySecret } = lab.server.oss;
    const file = join(lab.home, 'oss.yaml');
    const keys = `access_key_id: ${accessKeyId}, secret_access_key: ${accessKeySecret}`;
    writeFileSync(file, `remotes:\n  oss: { type: oss, endpoint: "${endpoint}", region: ${region}, ${keys} }\n`, {
      mode: 0o600,
    });
    lab.server.core.oss.createBucket('pail');
    for (const key of KEYS.slice(0, 1)) lab.server.core.oss.put('pail', key, `<${key}>`);
    return file;
  };

  it('is the one that ali-oss makes, and reads the object', async () => {
    const file = config();
    const url = new URL(await linkTo('oss:pail/plain.txt', '--config', file, '--expire', '10m'));
    const response = await fetch(url);
    expect([response.status, await response.text()]).toEqual([200, '<plain.txt>']);
    const { region, accessKeyId, accessKeySecret } = lab.server.oss;
    const date = url.searchParams.get('x-oss-date') ?? '';
    const at = date.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z');
    vi.useFakeTimers({ toFake: ['Date'], now: new Date(at) });
    const client = new OSS({ accessKeyId, accessKeySecret, region: `oss-${region}`, bucket: 'pail', secure: true });
    const theirs = new URL(await client.signatureUrlV4('GET', 600, { headers: {} }, 'plain.txt'));
    expect(url.searchParams.get('x-oss-signature')).toBe(theirs.searchParams.get('x-oss-signature'));
    expect([...url.searchParams.keys()].sort()).toEqual([...theirs.searchParams.keys()].sort());
  });
});
