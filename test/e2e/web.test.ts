/** The page of `serve --web` in a real browser, beside what `status --json` says. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NO_BROWSER, openBrowser } from './chromium.js';
import { type Bucket, Lab, type Running, until } from './harness.js';

const TOKEN = 'a-token-of-enough-characters';
const SECRET = 'a-secret-of-enough-characters';
const BAD = 'evil\u202e<script>alert(1)</script>\r\n.jpg';
const HOUR = { interval: '1h' };

interface Line {
  rule: string;
  destinations?: string[];
  spent?: { cost: { currency: string; amount: number }[] };
}

describe.skipIf(NO_BROWSER)('the page', () => {
  let lab: Lab;
  let browser: Browser;
  let serving: Running;
  let url: string;
  let [source, west]: Bucket[] = [];
  let rules: Record<string, object>;
  let mend: () => void;
  /** What the browser complained about, such as a script that the policy forbids. */
  const complaints: string[] = [];

  beforeAll(async () => {
    lab = await Lab.start();
    await addPrices(join(lab.directory, 'config/xsync/config.yaml'));
    source = lab.east.bucket();
    west = lab.west.bucket();
    for (let n = 0; n < 30; n++) source.put(`${n}`, 'x'.repeat(n));
    source.put(BAD, 'bad');
    mend = west.fault({ kind: 'status', status: 403, code: 'AccessDenied' }, { kind: 'PutObject', key: BAD });
    rules = {
      photos: { source: source.at(), destination: [west.at(), lab.shanghai.bucket().at()], rpo: '1h', ...HOUR },
      drafts: { source: lab.east.bucket().at(), destination: lab.west.bucket().at(), mode: 'mirror', ...HOUR },
    };
    await write();
    serving = lab.start(['serve', '--rules', file(), '--web', ':0', '--events', ':0/changes'], {
      XSYNC_WEB_TOKEN: TOKEN,
      XSYNC_EVENTS_SECRET: SECRET,
    });
    await until(() => serving.stderr.includes('serving 3 pairs'), { orElse: serving.done });
    url = /page at (\S+)\//.exec(serving.stderr)?.[1] ?? '';
    browser = await openBrowser();
    await arrived();
  });

  afterAll(async () => {
    await browser?.close();
    await lab?.close();
  });

  const file = (): string => join(lab.directory, 'rules.yaml');
  const write = (): Promise<void> => writeFile(file(), JSON.stringify({ rules }));

  /** All first passes are over, and a change has come after them, so that there is a lag. */
  async function arrived(): Promise<void> {
    const passes = () => status().then((lines) => lines.filter((line) => 'synchronised' in line).length);
    // Three destinations, and the rule that has two of them.
    while ((await passes()) < 4);
    // A HEAD tells whole seconds: a change of the second in which the first pass began counts as history.
    await pause(1000);
    source?.put('new', 'new');
    const events = /receiving events at (\S+)/.exec(serving.stderr)?.[1] ?? '';
    const s3 = { bucket: { name: source?.name }, object: { key: 'new' } };
    await fetch(events, {
      ...{ method: 'POST', body: JSON.stringify({ Records: [{ eventName: 'ObjectCreated:Put', s3 }] }) },
      headers: { authorization: `Bearer ${SECRET}` },
    });
    const lags = () => status().then((lines) => JSON.stringify(lines).split('"hour":{"objects":1').length - 1);
    while ((await lags()) < 2);
  }

  async function status(): Promise<Line[]> {
    const { stdout } = await lab.run(['status', '--rules', file(), '--json']);
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  }

  async function open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await (await browser.newContext(options)).newPage();
    page.setDefaultTimeout(240_000);
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    page.on('pageerror', ({ message }) => void complaints.push(message));
    await page.goto(`${url}${path}`);
    return page;
  }

  /** The figures of a pair as the page has them: name and value. */
  function figures(page: Page, rule: string): Promise<string[][]> {
    return page
      .locator(`[data-rule="${rule}"] [data-figure]`)
      .evaluateAll((all) =>
        all.map((each) => [each.getAttribute('data-figure') ?? '', each.getAttribute('value') ?? '']),
      );
  }

  /** The same of a line of `status --json`. */
  function expected(line: Line, names: readonly string[]): string[][] {
    return names.map((name) => {
      if (name === 'spent.cost')
        return [name, line.spent?.cost.map((each) => `${each.currency} ${each.amount}`).join(' ') ?? ''];
      const value = name.split('.').reduce<unknown>((found, part) => Object(found)[part], line);
      return [name, String(value)];
    });
  }

  test.each([
    ['', true],
    [' without JavaScript', false],
  ])(
    'has the figures of status --json, on the board and on the page of each destination%s',
    async (_, javaScriptEnabled) => {
      const lines = await status();
      const board = await open('/', { javaScriptEnabled });
      let compared = 0;
      for (const line of lines) {
        // A rule with several destinations has a row, and each of them a page.
        const own = line.destinations
          ? []
          : [await open(`/rules/${encodeURIComponent(line.rule)}`, { javaScriptEnabled })];
        for (const page of [board, ...own]) {
          const found = await figures(page, line.rule);
          const names = found.map(([name = '']) => name);
          expect([line.rule, found]).toEqual([line.rule, expected(line, names)]);
          expect(names).toEqual(
            expect.arrayContaining([
              'history.percent',
              'synchronised.untilMs',
              'pending.objects',
              'failed.objects',
              'spent.cost',
            ]),
          );
          if (line.rule.startsWith('photos')) expect(names).toContain('lag.hour.p99');
          if (line.rule === 'drafts' && page === board) expect(names).toContain('conflicts');
          compared += names.length;
        }
        for (const page of own) await page.context().close();
      }
      expect(compared).toBeGreaterThan(50);
      expect(await board.locator('h1').innerText()).toBe('2 rules: 1 with failures or conflicts, 1 synchronized');
      await board.context().close();
      expect(complaints).toEqual([]);
    },
  );

  test('fits a phone, and follows what the reader prefers', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const path of ['/', '/rules/photos%5B1%5D', '/sign-in']) {
        const page = await open(path, { viewport: { width: 360, height: 700 }, colorScheme });
        const [width, background] = await page.evaluate<[number, string]>(
          '[document.documentElement.scrollWidth, getComputedStyle(document.body).backgroundColor]',
        );
        expect([path, width, background]).toEqual([
          path,
          360,
          colorScheme === 'light' ? 'rgb(246, 246, 243)' : 'rgb(19, 19, 18)',
        ]);
        await page.context().close();
      }
    }
  });

  test('retries what failed when somebody with the token presses the button, and shows it to all who look', async () => {
    const watcher = await open('/');
    expect(await watcher.locator('button').count()).toBe(0);
    const page = await open('/rules/photos%5B1%5D');
    expect(await page.locator('#failed .key').innerText()).toBe('evil\\u202e<script>alert(1)</script>\\r\\n.jpg');
    await page.getByRole('link', { name: 'Sign in to retry' }).first().click();
    await page.getByLabel('Token').fill(TOKEN);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(`${url}/rules/photos%5B1%5D`);
    await page.getByRole('button', { name: 'Retry evil' }).click();
    await page.getByText('1 failed again').waitFor();
    mend();
    await page.getByRole('button', { name: 'Retry evil' }).click();
    await page.getByText('1 copied').first().waitFor();
    await page.getByText('None.').waitFor();
    await watcher.getByText('2 rules, all synchronized').waitFor();
    expect(west?.read(BAD).toString()).toBe('bad');
    const line = (await status()).find(({ rule }) => rule === 'photos[1]');
    expect(line).toMatchObject({ rule: 'photos[1]', failed: { objects: 0 }, lastRun: { command: 'retry' } });
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('link', { name: 'Sign in to retry' }).waitFor();
    for (const each of [page, watcher]) await each.context().close();
    expect(complaints).toEqual([]);
  });

  test('follows the rules when they are read again, and says when the process has ended', async () => {
    const page = await open('/');
    await page.getByText('live').waitFor();
    const { drafts: _, ...rest } = rules;
    rules = { ...rest, added: { source: source?.at(), destination: lab.west.bucket().at(), ...HOUR } };
    await write();
    serving.kill('SIGHUP');
    await page.locator('[data-rule="added"]').getByText('Synchronized').waitFor();
    await page.locator('[data-rule="drafts"]').waitFor({ state: 'detached' });
    serving.kill('SIGTERM');
    expect((await serving.done).code).toBe(0);
    await page.getByText('not connected').waitFor();
    await page.context().close();
  });
});

/** `photos` costs something. */
async function addPrices(config: string): Promise<void> {
  const { remotes } = JSON.parse(await readFile(config, 'utf8'));
  remotes.east.prices = { currency: 'USD', get: 0.4, list: 5 };
  remotes.shanghai.prices = { currency: 'CNY', put: 0.01 };
  await writeFile(config, JSON.stringify({ remotes }), { mode: 0o600 });
}
