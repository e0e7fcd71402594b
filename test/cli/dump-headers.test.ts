import { channel } from 'node:diagnostics_channel';
import { createServer, get } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { dumpHeaders } from '../../src/cli/dump-headers.js';

let undump = (): void => {};
afterEach(() => undump());

function dumped(): string[] {
  const lines: string[] = [];
  undump = dumpHeaders((text) => lines.push(text));
  return lines;
}

const KEYS = [
  'Authorization',
  'proxy-authorization',
  'Cookie',
  'x-amz-security-token',
  'x-oss-security-token',
  'X-aws-ec2-metadata-token',
  'x-amz-server-side-encryption-customer-key',
  'x-amz-copy-source-server-side-encryption-customer-key',
  'x-amz-server-side-encryption-customer-key-MD5',
  'x-amz-copy-source-server-side-encryption-customer-key-md5',
  'x-oss-meta-password',
  'x-acs-credentials-uri-secret',
];

test.each(KEYS)('the value of %s is never shown', (name) => {
  const lines = dumped();
  const request = { method: 'GET', origin: 'https://host', path: '/k' };
  const headers = `GET /k HTTP/1.1\r\n${name}: hunter2\r\nhost: host\r\n`;
  channel('undici:client:sendHeaders').publish({ request, headers });
  expect(lines).toEqual(['> GET https://host/k', `> ${name}: REDACTED`, '> host: host']);
});

test('secrets in the query and in URLs among the values are not shown either', () => {
  const lines = dumped();
  const path =
    '/k?X-Amz-Signature=hunter2&partNumber=3&x-oss-security%2Dtoken=hunter2&OSSAccessKeyId=id&Signature=hunter2';
  const raw = ['location', 'http://me:hunter2@other/k?X-Amz-Security-Token=hunter2&uploadId=7', 'etag', '"e"'];
  const response = { statusCode: 307, headers: raw.map((text) => Buffer.from(text)) };
  channel('undici:request:headers').publish({ request: { method: 'PUT', origin: 'https://host', path }, response });
  expect(lines).toEqual([
    '< 307 PUT https://host/k?X-Amz-Signature=REDACTED&partNumber=3&x-oss-security%2Dtoken=REDACTED&OSSAccessKeyId=REDACTED&Signature=REDACTED',
    '< location: http://REDACTED@other/k?X-Amz-Security-Token=REDACTED&uploadId=7',
    '< etag: "e"',
  ]);
});

test('the requests of node:http, which the SDKs use, are shown too, until the end', async () => {
  const server = createServer((_request, response) =>
    response.setHeader('x-id', '7').setHeader('set-cookie', 'a=b').end(),
  );
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const ask = () =>
    new Promise((ended) =>
      get({ host: '127.0.0.1', port, path: '/k', headers: { authorization: 'hunter2' } }, (response) =>
        response.resume().on('end', ended),
      ),
    );
  const lines = dumped();
  await ask();
  undump();
  const count = lines.length;
  await ask();
  server.close();
  expect(lines).toHaveLength(count);
  expect(lines).toContain(`> GET http://127.0.0.1/k`);
  expect(lines).toContain('> authorization: REDACTED');
  expect(lines).toContain('< x-id: 7');
  expect(lines.join()).not.toContain('hunter2');
});
