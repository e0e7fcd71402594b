import { request } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { look } from '../../src/cli/render/page/look.js';
import { Board, type BoardPair } from '../../src/web/board.js';
import { keyParameter } from '../../src/web/detail.js';
import { serveWeb, type Web } from '../../src/web/server.js';
import { SUMMARY } from '../observe/events.js';
import { boardPair, HOSTILE_KEYS, manifestWith, TOKEN } from './support.js';

let web: Web | undefined;
const warned: string[] = [];
const retried: string[] = [];

afterEach(async () => {
  await web?.close();
  web = undefined;
  warned.length = 0;
  retried.length = 0;
});

/** A board with one pair whose retries are noted. */
function pairOf(keys: readonly string[]): BoardPair {
  const manifest = manifestWith(keys);
  return boardPair('photos', manifest, {
    retry: () => async (batches) => {
      for await (const batch of batches(manifest)) retried.push(...batch);
      return SUMMARY;
    },
  });
}

async function serve({ token, pairs = [pairOf(['a', 'b'])] }: { token?: string; pairs?: BoardPair[] } = {}) {
  const board = new Board();
  board.set(pairs);
  const warn = (message: string) => void warned.push(message);
  web = await serveWeb({ host: '127.0.0.1', port: 0 }, { board, look, token, hosts: ['status.example'], warn });
  return board;
}

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** Unlike `fetch`, sends what it is told to. */
function ask(path: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> {
  const options = { method: body === undefined ? 'GET' : 'POST', headers };
  return new Promise((resolve, reject) => {
    const call = request(`${web?.url}${path}`, options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => (text += piece));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    call.on('error', reject).end(body);
  });
}

/** As a form of the page itself. */
const post = (path: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
  ask(path, { origin: web?.url ?? '', ...headers }, new URLSearchParams(form).toString());

async function signedIn(): Promise<{ cookie: string }> {
  const { headers } = await post('/sign-in', { token: TOKEN });
  return { cookie: String(headers['set-cookie']).split(';')[0] ?? '' };
}

describe('reading', () => {
  test('needs no token, and every answer forbids what the page does not need', async () => {
    await serve();
    for (const path of ['/', '/rules/photos', '/nothing', '/rules/stranger', '/%', '/rules/photos?after=%25']) {
      const { status, headers, body } = await ask(path);
      expect([path, status]).toEqual([
        path,
        { '/': 200, '/rules/photos': 200, '/rules/photos?after=%25': 400 }[path] ?? 404,
      ]);
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'referrer-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'content-type': 'text/html; charset=utf-8',
      });
      const policy = String(headers['content-security-policy']);
      expect(policy).toMatch(/default-src 'none';.*form-action 'self'; base-uri 'none'; frame-ancestors 'none'/);
      expect(policy).not.toContain('unsafe');
      expect(body).not.toMatch(/ on\w+=| style=|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
    }
  });

  test('a page is what its policy allows: one style and one script, inline', async () => {
    await serve();
    const { body } = await ask('/');
    expect(body.split('<style>').length - 1 + (body.split('<script>').length - 1)).toBe(2);
    expect(body).toContain(`<style>${look.style}</style>`);
    expect(body).toContain(`<script>${look.script}</script>`);
  });

  test("is answered under names that are the page's alone", async () => {
    await serve();
    for (const [host, status] of [
      ['127.0.0.1:8080', 200],
      ['status.example', 200],
      ['attacker.example', 421],
    ] as const) {
      for (const path of ['/', '/rules/photos', '/live']) {
        if (path === '/live' && status === 200) continue;
        expect([host, (await ask(path, { host })).status]).toEqual([host, status]);
      }
    }
  });

  test('shows hostile keys as text, on the page and in its events', async () => {
    await serve({ pairs: [pairOf(HOSTILE_KEYS), boardPair('<b>rule</b>', undefined, { source: '<i>src</i>' })] });
    const pages = [
      await ask('/'),
      await ask('/rules/photos'),
      await ask(`/rules/${encodeURIComponent('<b>rule</b>')}`),
    ];
    for (const { status, body } of pages) {
      expect(status).toBe(200);
      const content = body.replace(`<script>${look.script}</script>`, '');
      expect(content).not.toMatch(/<script>|<img|<b>rule|<i>src|\u202e/);
      expect([content.includes('\0'), content.includes('\x1b')]).toEqual([false, false]);
    }
    expect(pages[1]?.body).toContain('evil\\u202egpj.exe');
    expect(pages[1]?.body).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    const live = await fetch(`${web?.url}/live?rule=photos`);
    const { value } = (await live.body?.pipeThrough(new TextDecoderStream()).getReader().read()) ?? {};
    expect(live.headers.get('content-type')).toBe('text/event-stream');
    expect(value).not.toMatch(/<script>|\u202e/);
  });

  test('a hundred rules with a hundred rows each are one page of a bounded size', async () => {
    const many = Array.from({ length: 100 }, (_, n) => boardPair(`rule ${n}`, manifestWith(['a'])));
    await serve({ pairs: many });
    const { body } = await ask('/');
    expect(body.match(/data-rule="/g)).toHaveLength(100);
    expect(body.length).toBeLessThan(400_000);
  });

  test('events end when the page is closed', async () => {
    await serve();
    const live = await fetch(`${web?.url}/live`);
    const reading = live.text().catch(() => 'cut');
    await web?.close();
    await reading;
  });
});

describe('without a token', () => {
  test('nobody can retry or sign in, and no button says otherwise', async () => {
    await serve();
    expect((await post('/retry', { rule: 'photos' })).status).toBe(403);
    expect((await post('/sign-in', { token: '' })).status).toBe(403);
    expect((await ask('/sign-in')).status).toBe(403);
    expect((await ask('/')).body).toContain('read-only');
    expect((await ask('/rules/photos')).body).not.toMatch(/<button|sign-in/);
    expect(retried).toEqual([]);
  });
});

describe('with a token', () => {
  test('who has shown it retries all, or one object whatever its key is, and comes back to the page', async () => {
    await serve({ token: TOKEN, pairs: [pairOf(HOSTILE_KEYS)] });
    expect((await ask('/rules/photos')).body).toContain('Sign in to retry');
    const cookie = await signedIn();
    const { body } = await ask('/rules/photos', cookie);
    expect(body.match(/>Retry</g)).toHaveLength(HOSTILE_KEYS.length);
    for (const key of HOSTILE_KEYS) {
      const form = { rule: 'photos', key: keyParameter(key), back: '/rules/photos' };
      const { status, headers } = await post('/retry', form, cookie);
      expect([status, headers.location]).toEqual([303, '/rules/photos']);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(retried).toEqual(HOSTILE_KEYS);
    retried.length = 0;
    expect((await post('/retry', { rule: 'photos' }, cookie)).status).toBe(303);
    expect(new Set(retried)).toEqual(new Set(HOSTILE_KEYS));
  });

  test('nobody else does', async () => {
    await serve({ token: TOKEN });
    const { cookie } = await signedIn();
    const form = 'rule=photos';
    const origin = web?.url ?? '';
    expect(await ask('/retry', { origin }, form)).toMatchObject({ status: 303, headers: { location: '/sign-in' } });
    expect((await ask('/retry', { cookie }, form)).status).toBe(403);
    for (const stranger of ['http://attacker.example', 'null']) {
      expect((await ask('/retry', { cookie, origin: stranger }, form)).status).toBe(403);
    }
    expect((await ask('/retry', { origin, cookie: 'xsync_session=9999999999999.AAAA' }, form)).status).toBe(303);
    expect((await ask('/retry', { authorization: 'Bearer wrong' }, form)).status).toBe(403);
    expect((await ask('/retry', { cookie })).status).toBe(404);
    expect(retried).toEqual([]);
    expect((await ask('/retry', { authorization: `Bearer ${TOKEN}` }, form)).status).toBe(303);
    expect(retried).toEqual(['a', 'b']);
  });

  test('a wrong one is refused and told once, and after five of them the address waits', async () => {
    await serve({ token: TOKEN });
    const statuses: number[] = [];
    for (let n = 0; n < 6; n++) statuses.push((await post('/sign-in', { token: `wrong ${n}` })).status);
    expect(statuses).toEqual([403, 403, 403, 403, 403, 429]);
    expect((await post('/sign-in', { token: TOKEN })).status).toBe(429);
    expect(warned).toEqual(['--web: a wrong token was given from 127.0.0.1']);
  });

  test('leads nowhere else after signing in or retrying, and what is damaged is refused', async () => {
    await serve({ token: TOKEN });
    const there = async (back: string) => (await post('/sign-in', { token: TOKEN, back })).headers.location;
    expect(await there('/rules/photos%5B1%5D?after=YQ')).toBe('/rules/photos%5B1%5D?after=YQ');
    for (const back of [
      '//attacker.example',
      'https://attacker.example',
      '/\\attacker.example',
      '/rules/../x',
      '/live',
    ]) {
      expect([back, await there(back)]).toEqual([back, '/']);
    }
    const cookie = await signedIn();
    expect((await post('/retry', { rule: 'photos', key: '%' }, cookie)).status).toBe(400);
    expect((await post('/retry', { rule: 'stranger' }, cookie)).status).toBe(404);
    expect((await post('/retry', { rule: 'x'.repeat(20_000) }, cookie)).status).toBe(413);
  });

  test('over HTTPS the cookie stays there, and signing out ends the session', async () => {
    await serve({ token: TOKEN });
    const headers = { host: 'status.example', origin: 'https://status.example' };
    const { headers: said } = await ask('/sign-in', headers, `token=${TOKEN}`);
    expect(String(said['set-cookie'])).toMatch(/; Secure$/);
    expect(String((await post('/sign-out', {})).headers['set-cookie'])).toMatch(/^xsync_session=; .*Max-Age=0/);
  });
});

test('a port that is taken is told with its option', async () => {
  await serve();
  const port = Number(new URL(web?.url ?? '').port);
  const options = { board: new Board(), look, warn: () => {} };
  await expect(serveWeb({ host: '127.0.0.1', port }, options)).rejects.toMatchObject({
    code: 'config',
    message: expect.stringContaining('--web: cannot listen at'),
  });
});
