/** --dump headers through the built program, with both transports: every secret of the run stays out of the log. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Lab } from './harness.js';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(() => lab.close());

test.each(['lean', 'sdk'])('%s', async (transport) => {
  const [from, to] = [lab.east.bucket(), lab.shanghai.bucket()];
  from.put('k', 'text');

  const { code, stderr } = await lab.run(['copy', from.at(), to.at(), '--dump', 'headers', '--transport', transport]);

  expect(code).toBe(0);
  expect(stderr).toMatch(/> GET http:\/\/\S+/);
  expect(stderr).toMatch(/> PUT http:\/\/\S+/);
  expect(stderr).toMatch(/< 200 /);
  expect(stderr).toMatch(/> authorization: REDACTED/i);
  for (const { server } of [lab.east, lab.shanghai]) {
    const { s3, oss } = server;
    for (const secret of [s3.secretAccessKey, oss.accessKeySecret, s3.accessKeyId, oss.accessKeyId]) {
      expect(stderr).not.toContain(secret);
    }
  }
  expect(stderr).not.toMatch(/Signature=[0-9a-f]/i);
});

test('what is no header is refused with a sentence', async () => {
  const { code, stderr } = await lab.run(['copy', 'a', 'b', '--dump', 'bodies']);
  expect(code).toBe(2);
  expect(stderr).toContain('--dump: "bodies" is not "headers", the only thing that xsync dumps');
});
