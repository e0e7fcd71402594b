import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/load.js';
import { parseLocation } from '../../src/config/location.js';
import type { XsyncError } from '../../src/model/error.js';
import { complaint } from './support.js';

const config: Config = {
  path: '/c.yaml',
  unset: {},
  remotes: {
    lab: { type: 'memory' },
    disk: { type: 'local', copy_links: true },
    archive: { type: 'memory' },
  },
};

describe('a location is read as it is typed', () => {
  it.each<[string, object]>([
    ['lab:b', { name: 'lab', bucket: 'b', path: '', remote: { type: 'memory' } }],
    ['lab:b/', { name: 'lab', bucket: 'b', path: '' }],
    ['lab:b/p/q', { name: 'lab', bucket: 'b', path: 'p/q' }],
    ['lab:b//x/../y/', { name: 'lab', bucket: 'b', path: '/x/../y/' }],
    ['lab:b/k:k', { name: 'lab', bucket: 'b', path: 'k:k' }],
    ['lab:b/s3://x', { name: 'lab', bucket: 'b', path: 's3://x' }],
    ['s3://b/k', { name: 's3', bucket: 'b', path: 'k', remote: { type: 's3', env_auth: true } }],
    ['s3://b/k@x', { bucket: 'b', path: 'k@x' }],
    ['s3://b/k?x=y', { bucket: 'b', path: 'k?x=y' }],
    ['lab:b,c=d:e/k', { bucket: 'b,c=d:e', path: 'k' }],
    ['s3://arn:aws:s3:::b/k@x', { bucket: 'arn:aws:s3:::b', path: 'k@x' }],
    ['a,b=c', { name: 'local', bucket: '/cwd/a,b=c' }],
    ['./a,secret_access_key=c:d', { name: 'local', bucket: '/cwd/a,secret_access_key=c:d' }],
    [
      's3://arn:aws:s3:us-west-2:123456789012:accesspoint/mine/p/q',
      { bucket: 'arn:aws:s3:us-west-2:123456789012:accesspoint/mine', path: 'p/q' },
    ],
    [
      's3://arn:aws:s3:us-west-2:123456789012:accesspoint:mine//p',
      { bucket: 'arn:aws:s3:us-west-2:123456789012:accesspoint:mine', path: '/p' },
    ],
    [
      's3://arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-1/accesspoint/mine',
      { bucket: 'arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-1/accesspoint/mine', path: '' },
    ],
    ['s3://arn:aws:s3:::b/k', { bucket: 'arn:aws:s3:::b', path: 'k' }],
    ['S3://b//k', { name: 's3', bucket: 'b', path: '/k' }],
    ['oss://b/k', { name: 'oss', bucket: 'b', path: 'k', remote: { type: 'oss', env_auth: true } }],
    ['/abs/x/', { name: 'local', bucket: '/abs/x', path: '', remote: { type: 'local', copy_links: false } }],
    ['rel', { name: 'local', bucket: '/cwd/rel', path: '' }],
    ['.', { name: 'local', bucket: '/cwd', path: '' }],
    ['./a:b', { name: 'local', bucket: '/cwd/a:b', path: '' }],
    ['dir/a:b', { name: 'local', bucket: '/cwd/dir/a:b', path: '' }],
    ['disk:/data', { name: 'disk', bucket: '/data', path: '', remote: { type: 'local', copy_links: true } }],
    ['disk:sub', { name: 'disk', bucket: '/cwd/sub', path: '' }],
    ['disk:', { name: 'disk', bucket: '/cwd', path: '' }],
  ])('%s', (text, expected) => {
    const { remote, ...location } = parseLocation(text, config, '/cwd');
    expect({ ...location, remote }).toMatchObject({ ...expected, text });
  });

  it('a remote called s3 says what s3:// means, unless it is something else', () => {
    const own = { type: 's3', region: 'eu-west-1', env_auth: true, accelerate: 'off', requester_pays: false } as const;
    expect(parseLocation('s3://b', { path: '', unset: {}, remotes: { s3: own } }).remote).toEqual(own);
    expect(parseLocation('s3://b', { path: '', unset: {}, remotes: { s3: { type: 'memory' } } }).remote.type).toBe(
      's3',
    );
  });
});

describe('a location that names nothing is explained', () => {
  const write = 'Write remote:bucket/prefix, s3://bucket/prefix, oss://bucket/prefix or a local path.';
  it.each([
    ['', `usage: a location is empty → ${write}`],
    ['lab:', 'usage: "lab:" has no bucket → Write lab:BUCKET or lab:BUCKET/PREFIX.'],
    ['lab:/b', 'usage: "lab:/b" has a "/" where its bucket should start → Write lab:BUCKET or lab:BUCKET/PREFIX.'],
    ['s3://', 'usage: "s3://" has no bucket → Write s3://BUCKET or s3://BUCKET/PREFIX.'],
    [
      'archve:x',
      'usage: there is no remote "archve"; the config /c.yaml has lab, disk, archive; did you mean "archive"? → A local path with a colon is written ./archve:x.',
    ],
    [
      'zzzz:x',
      'usage: there is no remote "zzzz"; the config /c.yaml has lab, disk, archive → A local path with a colon is written ./zzzz:x.',
    ],
    [
      'constructor:x',
      'usage: there is no remote "constructor"; the config /c.yaml has lab, disk, archive → A local path with a colon is written ./constructor:x.',
    ],
    [
      's3:b/x',
      'usage: there is no remote "s3"; the config /c.yaml has lab, disk, archive; did you mean "s3://b/x"? → A local path with a colon is written ./s3:b/x.',
    ],
    [
      'a b:c',
      `usage: "a b" in "a b:c" cannot be a remote's name → ${write} A local path with a colon is written ./a b:c.`,
    ],
    [
      ':s3:b',
      `usage: ":s3:b" starts with a colon: the remote's name is missing → ${write} A local path with a colon is written ./:s3:b.`,
    ],
    [
      'http://x/y',
      `usage: "http://x/y": http:// is not a known scheme; the schemes are s3://, oss://, and urls:// → ${write}`,
    ],
    [
      'file:///x',
      'usage: "file:///x": file:// is not a known scheme; the schemes are s3://, oss://, and urls:// → Write a local path as it is, without file://.',
    ],
  ])('%s', async (text, message) => {
    expect(await complaint('\0', () => parseLocation(text, config, '/cwd'))).toBe(message);
  });
});

describe('secrets in a location are refused, and not repeated', () => {
  const refusalOf = (text: string): string => {
    let said = '';
    try {
      parseLocation(text, config, '/cwd');
    } catch (error) {
      const { message, subject, remedy, cause } = error as XsyncError;
      said = `${message} ${subject} ${remedy} ${cause}`;
    }
    return said;
  };

  it.each([
    [':s3,access_key_id=AKX,secret_access_key=S3KR/ET:b', '":s3,…" is a connection string'],
    [':s3,secret_access_key=S3KRET', '":s3,…" is a connection string'],
    [':s3,env_auth,secret_access_key="S3KR:ET":b', '":s3,…" is a connection string'],
    ['lab,secret_access_key=S3KRET:b', '"lab,…" is a connection string'],
    ['lab,secret_access_key=a/S3KRET:b', '"lab,…" is a connection string'],
    ['lab,secret_access_key=S3KRET', '"lab,…" is a connection string'],
    ['lab,region=x,session_token=S3KRET', '"lab,…" is a connection string'],
    ['lab,endpoint=http://u:S3KRET@h:b', '"lab,…" is a connection string'],
    ['lab,region=x:b/S3KRET', '"lab,…" is a connection string'],
    ['s3://AKX:S3KRET@b/k', '"s3://***@b/k" has credentials'],
    ['s3://AKX:S3KR/ET@b/k', '"s3://***@b/k" has credentials'],
    ['OSS://S3KRET@b/k', '"OSS://***@b/k" has credentials'],
    ['https://AKX:S3KR/ET@h/b', '"https://***@h/b": https:// is not a known scheme'],
    ['https://b.h/k?X-Amz-Signature=S3KRET', '"https://b.h/k?…": https:// is not a known scheme'],
  ])('%s', (text, expected) => {
    expect(refusalOf(text)).toContain(expected);
    expect(refusalOf(text)).not.toMatch(/S3KR|ET|AKX/);
  });
});
