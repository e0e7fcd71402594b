import { describe, expect, it } from 'vitest';
import { RequestFault } from '../../../src/store/http/faults.js';
import { requestHead } from '../../../src/store/http/request-head.js';
import { HttpTransport } from '../../../src/store/http/transport.js';

describe('the head of a request', () => {
  it('is its line and its headers as given, byte for byte', () => {
    expect(requestHead('GET', '/a/../b?x=%20', { host: 'h', 'X-Meta': 'caf\xc3\xa9' }, undefined)).toBe(
      'GET /a/../b?x=%20 HTTP/1.1\r\nconnection: keep-alive\r\nhost: h\r\nX-Meta: caf\xc3\xa9\r\n\r\n',
    );
  });

  it.each([
    ['PUT', 5, 'content-length: 5'],
    ['PUT', undefined, 'content-length: 0'],
    ['POST', undefined, 'content-length: 0'],
    ['DELETE', undefined, undefined],
    ['GET', undefined, undefined],
  ])('says how long the body is: %s %s', (method, length, said) => {
    expect(/content-length: \d+/.exec(requestHead(method, '/', { host: 'h' }, length))?.[0]).toBe(said);
  });

  it.each(['a\r\nX-Evil: 1', 'a\nb', 'a\rb', 'a\0b', '\x7f', '\u4e2d', 'a\u010db'])(
    'refuses the value %j, which would end its line or lose bits',
    (value) => {
      const make = () => requestHead('GET', '/', { host: 'h', 'x-meta': value }, undefined);
      expect(make).toThrow(RequestFault);
      expect(make).toThrow(expect.objectContaining({ header: 'x-meta' }));
    },
  );

  it.each([
    ['the path', 'GET', '/a b', 'x'],
    ['the path', 'GET', '/a\r\nX: y', 'x'],
    ['the path', 'GET', '', 'x'],
    ['a name', 'GET', '/', 'x y'],
    ['a name', 'GET', '/', 'x:'],
    ['a name', 'GET', '/', ''],
    ['the method', 'GET /x', '/', 'x'],
    ['the method', 'GET\r\n', '/', 'x'],
  ])('refuses %s that is malformed', (_, method, path, name) => {
    expect(() => requestHead(method, path, { [name]: 'v' }, undefined)).toThrow(RequestFault);
  });

  it('names what is wrong, and sends nothing', async () => {
    const transport = new HttpTransport({ userAgent: 'test' });
    const send = (path: string, headers: Record<string, string>) =>
      transport.request({ method: 'GET', origin: 'http://127.0.0.1:1', path, headers });
    await expect(send('/', { 'if-match': '"\n"' })).rejects.toMatchObject({
      code: 'unsupported',
      message: 'the object has an ETag that HTTP cannot carry',
    });
    await expect(send('/', { Authorization: 'a\nb' })).rejects.toMatchObject({ code: 'bad-credentials' });
    await expect(send('/a b', {})).rejects.toMatchObject({ code: 'internal' });
    await transport.close();
  });
});
