/** A bridge whose pulling end tells outcomes, through gates that count what passes, and can be shut. */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { Bridge, openSides } from './bridging.js';
import { until } from './harness.js';

const { lab, near, far, line, running } = await openSides();
const gates: Gate[] = [];
afterEach(async () => {
  for (const gate of gates.splice(0)) await gate.close();
});

/** Passes requests on, and counts them by path. */
class Gate {
  readonly url: string;
  readonly passed: Record<string, number> = {};
  to = '';
  /** Of requests that are answered 503. */
  shut = '';
  /** Waited for before a request is passed on. */
  hold: (path: string) => Promise<unknown> = async () => {};
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async open(): Promise<Gate> {
    const server = createServer((request, response) => void gate.#pass(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const gate = new Gate(server, address.port);
    gates.push(gate);
    return gate;
  }

  async close(): Promise<void> {
    await new Promise((resolve) => void this.#server.close(resolve).closeAllConnections());
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url: path = '', headers } = request;
    this.passed[path] = (this.passed[path] ?? 0) + 1;
    await this.hold(path);
    if (path === this.shut) return void response.writeHead(503).end();
    const given = { 'content-type': 'application/json', authorization: headers.authorization ?? '' };
    const answer = await fetch(this.to + path, { method: 'POST', headers: given, body: await text(request) });
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
  }
}

const KEYS = Array.from({ length: 10 }, (_, n) => `k${n}`);

/** @param callback of the pushing end */
async function scene(callback: string) {
  const s = await Bridge.open({ lab, near, far, line, running });
  for (const key of KEYS) s.put(key, key);
  const log = join(s.pullHome.HOME ?? '', 'audit');
  const pull = await s.pull('--allow-callback', '127.0.0.1', '--audit-log', log);
  const there = await Gate.open();
  there.to = line.to ?? '';
  line.to = there.url;
  const push = s.push('--backfill', '--once', '--listen', '127.0.0.1:0', '--callback', callback);
  const done = async () => (await readFile(log, 'utf8')).split('\n').filter((row) => row.includes('"done"')).length;
  return { s, pull, push, there, done };
}

test('outcomes come by callback: nothing else can tell them', async () => {
  const back = await Gate.open();
  const { s, push, there, done } = await scene(back.url);
  there.shut = '/v1/outcomes';
  const heard = () => /receiving outcomes at (\S+)/.exec(push.stderr)?.[1];
  there.hold = async (path) => {
    if (path !== '/v1/tickets') return;
    await until(() => heard() !== undefined, { orElse: push.done });
    back.to = heard() ?? '';
    // What was signed in the second of the start is refused: an earlier process may have heard it.
    await sleep(1_100);
  };
  const { code, stderr } = await push.done;
  expect(stderr).toContain('100% at the other end (10 of 10 objects)');
  expect(code).toBe(0);
  expect(await done()).toBe(10);
  expect(far.requests.find('PutObject')).toHaveLength(10);
  expect(Object.keys(back.passed)).toEqual(['/v1/callback']);
  expect(there.passed['/v1/tickets']).toBe(1);
  expect(s.keys()).toHaveLength(10);
});

test('outcomes are asked for if the port of the callback is closed, which is said once', async () => {
  const closed = await Gate.open();
  await closed.close();
  const { pull, push, there, done } = await scene(closed.url);
  there.hold = async (path) => {
    while (path === '/v1/outcomes' && (await done()) < 10) await sleep(20);
  };
  const { code, stderr } = await push.done;
  expect(stderr).toContain('100% at the other end (10 of 10 objects)');
  expect(code).toBe(0);
  expect(there.passed).toEqual({ '/v1/tickets': 1, '/v1/outcomes': 1 });
  expect(pull.stderr.match(/outcomes wait until 127\.0\.0\.1:\d+ asks for them/g)).toHaveLength(1);
  expect(far.requests.find('PutObject')).toHaveLength(10);
});
