import { describe, expect, it } from 'vitest';
import { addressGuard, isPublicAddress, namesHost } from '../../../src/store/http/address-guard.js';
import { parseProxy } from '../../../src/store/http/proxy.js';
import { HttpTransport } from '../../../src/store/http/transport.js';

describe('addresses', () => {
  it.each(['8.8.8.8', '203.0.112.1', '2600::1', '2606:4700::1111'])('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    ...['0.0.0.0', '10.1.2.3', '100.100.100.200', '127.0.0.1', '169.254.169.254', '172.31.0.1', '192.168.1.1'],
    ...['198.19.0.1', '224.0.0.1', '255.255.255.255', '::', '::1', 'fe80::1', 'fc00::1', 'ff02::1'],
    ...['::ffff:8.8.8.8', '64:ff9b::7f00:1', '2002:7f00:1::', '2001::1', '2001:db8::1', 'not an address'],
  ])('%s is not', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

it('names a host exactly, or all below a domain', () => {
  expect(namesHost(['a.example'], 'A.example.')).toBe(true);
  expect(namesHost(['a.example'], 'b.a.example')).toBe(false);
  expect(namesHost(['*.a.example'], 'b.a.example')).toBe(true);
  expect(namesHost(['*.a.example'], 'a.example')).toBe(false);
  expect(namesHost(['*.0.0.1'], '127.0.0.1')).toBe(false);
});

describe('a transport with a guard', () => {
  const ask = async (origin: string, allowed: string[], proxy?: string) => {
    const proxyOf = proxy === undefined ? undefined : () => parseProxy(proxy);
    const http = new HttpTransport({ userAgent: 'test', guard: addressGuard(allowed), proxyOf });
    try {
      await http.request({ method: 'GET', origin, path: '/', headers: {} });
      return 'answered';
    } catch (error) {
      return error;
    } finally {
      await http.close();
    }
  };

  it.each(['http://127.0.0.1:1', 'http://[::1]:1', 'http://0x7f.1:1', 'http://[::ffff:7f00:1]:1'])(
    'does not connect to %s',
    async (origin) => {
      expect(await ask(origin, [])).toMatchObject({ code: 'untrusted-host' });
    },
  );

  it.each(['http://127.0.0.1:1', 'https://127.0.0.1:1', 'socks5://127.0.0.1:1'])(
    'checks the host behind the proxy %s, not the proxy',
    async (proxy) => {
      for (const scheme of ['http', 'https']) {
        expect(await ask(`${scheme}://169.254.169.254`, [], proxy)).toMatchObject({ code: 'untrusted-host' });
        expect(await ask(`${scheme}://files.example`, [], proxy)).not.toMatchObject({ code: 'untrusted-host' });
      }
    },
  );

  it('looks at the address that a name leads to, when it connects', async () => {
    expect(await ask('http://localhost:1', [])).toMatchObject({
      code: 'untrusted-host',
      message: expect.stringMatching(/^localhost leads to the private address (127\.0\.0\.1|::1)$/),
    });
  });

  it.each([['localhost'], ['127.0.0.1', '::1']])('connects to what was allowed (%s)', async (...allowed) => {
    expect(await ask('http://localhost:1', allowed)).toMatchObject({ code: 'unreachable' });
  });
});
