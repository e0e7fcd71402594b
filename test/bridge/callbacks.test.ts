import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { Identity } from '../../src/bridge/identity.js';
import { Listener } from '../../src/bridge/listener.js';
import { Audit } from '../../src/bridge/pull/audit.js';
import { Callbacks } from '../../src/bridge/pull/callbacks.js';
import { earDoor } from '../../src/bridge/push/ear.js';
import { signRequest } from '../../src/bridge/signature.js';
import type { Told } from '../../src/bridge/ticket.js';
import { addressGuard } from '../../src/store/http/address-guard.js';
import { HttpTransport } from '../../src/store/http/transport.js';

const SECRET = 's'.repeat(32);
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function openEar() {
  const heard: Told[] = [];
  const logged: string[] = [];
  const identity = new Identity({}, { XSYNC_BRIDGE_SECRET: SECRET });
  const audit = new Audit(undefined, (text) => logged.push(text));
  const door = earDoor({ secrets: () => identity.secrets, audit, hear: (outcomes) => void heard.push(...outcomes) });
  const address = { host: '127.0.0.1', port: 0 };
  const ear = await Listener.open({ door, audit, address, identity, what: 'cannot hear' });
  closing.push(() => ear.close());
  // What was signed in the second of the start is refused: an earlier process may have heard it.
  await sleep(1_000 - (Date.now() % 1_000));
  return { url: `http://127.0.0.1:${ear.at.port}/`, heard, logged };
}

function openCallbacks(allowPrivate = ['127.0.0.1'], secret = SECRET) {
  const troubles: string[] = [];
  const transport = new HttpTransport({ userAgent: 'test', guard: addressGuard(allowPrivate) });
  const callbacks = new Callbacks({ transport, secret: () => secret, trouble: (message) => troubles.push(message) });
  closing.push(() => transport.close());
  closing.push(() => callbacks.close());
  return { callbacks, troubles };
}

const told = (n: number, state: Told['state'] = 'done'): Told => ({ id: `r${n}`, key: `k${n}`, state });

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

it('outcomes are told, many at a time', async () => {
  const { url, heard, logged } = await openEar();
  const { callbacks, troubles } = openCallbacks();
  const dead = { ...told(0, 'dead'), fault: { code: 'x', message: 'y' } };
  callbacks.tell(url, dead);
  for (let n = 1; n < 250; n++) callbacks.tell(url, told(n));
  await until(() => heard.length === 250);
  expect(heard[0]).toEqual(dead);
  expect(heard.at(-1)).toEqual(told(249));
  expect({ logged, troubles }).toEqual({ logged: [], troubles: [] });
});

it('somebody who cannot be told holds up nobody else, and it is said once', async () => {
  const { url, heard } = await openEar();
  const { callbacks, troubles } = openCallbacks();
  for (let n = 0; n < 300; n++) callbacks.tell('http://127.0.0.1:1/', told(n));
  callbacks.tell(url, told(1));
  await until(() => heard.length === 1 && troubles.length > 0);
  expect(troubles).toEqual([
    expect.stringMatching(/^outcomes wait until 127\.0\.0\.1:1 asks for them, because its callback failed: /),
  ]);
});

it('a host that leads to a private address is not told', async () => {
  const { url, heard } = await openEar();
  const { callbacks, troubles } = openCallbacks([]);
  callbacks.tell(url, told(1));
  await until(() => troubles.length > 0);
  expect({ heard, troubles }).toEqual({
    heard: [],
    troubles: [expect.stringContaining('127.0.0.1 is a private address')],
  });
});

it('a callback of a stranger, of another time or for a second time is refused and logged', async () => {
  const { url, heard, logged } = await openEar();
  const transport = new HttpTransport({ userAgent: 'test' });
  closing.push(() => transport.close());
  const body = JSON.stringify({ outcomes: [told(1)] });
  const path = '/v1/callback';
  const post = async (secret: string, ms: number, repeat = 1) => {
    const { header: authorization } = signRequest(secret, { method: 'POST', path, body }, ms);
    const request = { method: 'POST', origin: url.slice(0, -1), path, body, headers: { authorization } };
    for (let n = 1; n < repeat; n++) await transport.request(request);
    return (await transport.request(request)).status;
  };
  // One that was signed in the second before the start may have been heard by an earlier process.
  expect(await post(SECRET, Date.now() - 2_000)).toBe(401);
  expect(await post('x'.repeat(32), Date.now() + 1_000)).toBe(401);
  expect(heard).toEqual([]);
  expect(await post(SECRET, Date.now() + 1_000, 2)).toBe(401);
  expect(heard).toEqual([told(1)]);
  expect(logged).toEqual(
    ['the request was signed at another time', 'the signature is wrong', 'the request was received before'].map(
      (why) => `refused from 127.0.0.1: ${why}`,
    ),
  );
});
