import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { Hosts, isSameOrigin } from '../../src/web/hosts.js';

test('addresses, this host and the names that were given are known; a name of a stranger is not', () => {
  const hosts = new Hosts(['0.0.0.0', 'Status.Example.com']);
  const known = ['127.0.0.1:8080', '10.1.2.3', '[::1]:8080', 'localhost:1', `${hostname()}:80`, 'status.example.com.'];
  const strange = ['attacker.example', 'status.example.com.attacker.example', '', undefined, 'a b', 'x@127.0.0.1'];
  expect(known.filter((host) => !hosts.knows(host))).toEqual([]);
  expect(strange.filter((host) => hosts.knows(host))).toEqual([]);
});

test('the origin of a form is compared with the host, whatever the scheme', () => {
  expect(isSameOrigin('http://127.0.0.1:8080', '127.0.0.1:8080')).toBe(true);
  expect(isSameOrigin('https://status.example.com', 'status.example.com')).toBe(true);
  expect(isSameOrigin('https://status.example.com', 'status.example.com:443')).toBe(true);
  for (const origin of ['http://127.0.0.1:8081', 'http://attacker.example', 'null', '', undefined]) {
    expect([origin, isSameOrigin(origin, '127.0.0.1:8080')]).toEqual([origin, false]);
  }
  expect(isSameOrigin('http://x', undefined)).toBe(false);
});
