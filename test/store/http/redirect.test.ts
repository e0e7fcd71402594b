import { describe, expect, it } from 'vitest';
import { redirected } from '../../../src/store/http/redirect.js';

const to = (location: string | undefined, service = 'https://s3.us-east-1.amazonaws.com', status = 307) =>
  redirected(service, { status, headers: location === undefined ? {} : { location } }, ['/photos/a%20b', '/a%20b'])
    ?.origin;

describe('a redirect', () => {
  it.each([
    ['https://photos.s3-us-west-2.amazonaws.com/a%20b', 'https://photos.s3-us-west-2.amazonaws.com'],
    ['https://s3.us-west-2.amazonaws.com/photos/a%20b?rk=1', 'https://s3.us-west-2.amazonaws.com'],
    ['https://s3.us-east-1.amazonaws.com:8443/photos/a%20b', 'https://s3.us-east-1.amazonaws.com:8443'],
  ])('within the service is followed: %s', (location, origin) => {
    expect(to(location)).toBe(origin);
  });

  it.each([
    'https://evil.example/photos/a%20b',
    'https://s3.us-east-1.amazonaws.com.evil.example/photos/a%20b',
    'https://evilamazonaws.com/photos/a%20b',
    'https://amazonaws.com.evil/photos/a%20b',
    'https://user:key@s3.us-west-2.amazonaws.com/photos/a%20b',
    // Unencrypted, another bucket, another object, no URL.
    'http://s3.us-west-2.amazonaws.com/photos/a%20b',
    'https://s3.us-west-2.amazonaws.com/other/a%20b',
    'https://s3.us-west-2.amazonaws.com/photos/b',
    'file:///photos/a%20b',
    '/photos/a%20b',
    'https://',
    '',
    undefined,
  ])('elsewhere is not: %s', (location) => {
    expect(to(location)).toBeUndefined();
  });

  it('of a private service is followed to hosts below its endpoint only', () => {
    expect(to('http://node2.s3.example/photos/a%20b', 'http://s3.example')).toBe('http://node2.s3.example');
    expect(to('http://s3.node2.example/photos/a%20b', 'http://s3.example')).toBeUndefined();
    expect(to('http://example/photos/a%20b', 'http://s3.example')).toBeUndefined();
  });

  it.each([200, 301, 302, 303])('is no permanent one or one that changes the method: %i', (status) => {
    expect(to('https://s3.us-west-2.amazonaws.com/photos/a%20b', undefined, status)).toBeUndefined();
  });
});
