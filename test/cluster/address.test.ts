import { describe, expect, test } from 'vitest';
import { parseQueue } from '../../src/cluster/address.js';

describe('the address of a queue', () => {
  test.each([
    ['redis://h', { kind: 'single', tls: false, hosts: [{ host: 'h', port: 6379 }], db: 0, text: 'redis://h' }],
    ['rediss://u:p%40ss@h:7000/3', { tls: true, username: 'u', password: 'p@ss', db: 3, text: 'rediss://h:7000/3' }],
    ['redis://:pw@[::1]:6380', { password: 'pw', hosts: [{ host: '::1', port: 6380 }], text: 'redis://[::1]:6380' }],
    [
      'redis+sentinel://:pw@a,b:26380/main/2',
      {
        kind: 'sentinel',
        master: 'main',
        db: 2,
        hosts: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 26_380 },
        ],
      },
    ],
    [
      'rediss+cluster://a,b:7001',
      {
        kind: 'cluster',
        tls: true,
        hosts: [
          { host: 'a', port: 6379 },
          { host: 'b', port: 7001 },
        ],
      },
    ],
  ])('%s', (text, parsed) => {
    expect(parseQueue(text)).toMatchObject(parsed);
  });

  test.each([
    '',
    'h:6379',
    'http://h',
    'redis://',
    'redis://a,b',
    'redis://h/x',
    'redis://h:99999',
    'redis://h/1/2',
    'redis+sentinel://a',
    'redis+cluster://a/1',
    'redis://u:%zz@h',
    'redis://h?x=secret',
  ])('%s is refused, without its text', (text) => {
    expect(() => parseQueue(text)).toThrow(/^--queue/);
    expect(() => parseQueue(text)).not.toThrow(/secret|zz/);
  });
});
