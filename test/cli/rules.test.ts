import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { worstExit } from '../../src/cli/exit.js';
import { main } from '../../src/cli/main.js';
import { fakeIo } from './fixtures.js';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'xsync-rules-'));
  mkdirSync(join(home, 'a/x'), { recursive: true });
  writeFileSync(join(home, 'a/x/one'), 'one');
  writeFileSync(join(home, 'a/two'), 'two');
});

afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

async function xsync(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = fakeIo({ HOME: home });
  const code = await main(args, io);
  return { code, out: io.stdout.text().replaceAll(home, ''), err: io.stderr.text().replaceAll(home, '') };
}

/** The rules, with `./` meaning the home. */
function rules(yaml: string): string {
  const file = join(home, 'rules.yaml');
  writeFileSync(file, yaml.replaceAll('./', `${home}/`));
  return file;
}

const RULES = `
rules:
  one: { source: ./a, destination: [./b, ./c], rpo: 1h }
  two: { source: ./a/x, destination: ./d, priority: 2, schedule: "0 2 * * *", mode: sync }
  off: { source: ./b, destination: ./e, enabled: false }
`;

describe('rules', () => {
  test('list shows them in the order in which they run', async () => {
    const file = rules(RULES);
    const listed = await xsync('rules', 'list', '--rules', file);
    expect([listed.code, listed.err]).toEqual([0, '']);
    expect(listed.out.split('\n').map((line) => line.trim().replace(/ {2,}/g, ' | '))).toEqual([
      'RULE | MODE | PRIORITY | WHEN | SOURCE | DESTINATION',
      'two | sync | 2 | 0 2 * * * | /a/x | /d',
      'one | copy | 0 | every 30s | /a | /b',
      '/c',
      'off | copy | 0 | disabled | /b | /e',
      '',
    ]);
    const { out } = await xsync('rules', 'list', '--rules', file, '--json');
    expect(JSON.parse(out.split('\n')[1] ?? '')).toMatchObject({
      name: 'one',
      destinations: ['/b', '/c'],
      rpoMs: 3_600_000,
    });
    expect((await xsync('rules', 'list')).out).toBe('There are no rules. docs/rules.md shows how to write them.\n');
  });

  test('check says what they do to each other', async () => {
    const more = '  chained: { source: ./c, destination: ./f }\n  over: { source: ./g, destination: ./d/sub }\n';
    expect(await xsync('rules', 'check', '--rules', rules(RULES + more))).toEqual({
      code: 0,
      err: '',
      out: [
        '5 rules (1 disabled), 5 pairs: no errors',
        'overlap: "two" and "over" write the same keys, to /d and /d/sub; the last one to write a key wins',
        'chain: "chained" reads what "one" writes to /c',
        '',
      ].join('\n'),
    });
    const loop = '  back: { source: ./d, destination: ./a }\n';
    const { code, err } = await xsync('run', '--rules', rules(RULES + loop));
    expect([code, err]).toEqual([
      7,
      expect.stringContaining('rule "two": copies in a circle with "back": /a/x → /d → /a/x'),
    ]);
  });

  test('plan changes nothing, run does it, and status is a table', async () => {
    const file = rules(RULES);
    const plan = await xsync('rules', 'plan', 'two', '--rules', file);
    expect([plan.code, plan.err]).toEqual([0, expect.stringContaining('two: would copy one  new, 3 B')]);
    const before = await xsync('status', '--rules', file);
    expect(before).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^one\[1\] {2}not run yet .* late: more than 1h00m behind$/m),
    });
    const run = await xsync('run', '--rules', file);
    expect([run.code, run.err]).toEqual([0, expect.stringContaining('one[2]: Done: copied 2 objects, 6 B')]);
    expect(readFileSync(join(home, 'c/x/one'), 'utf8')).toBe('one');
    expect(readFileSync(join(home, 'd/one'), 'utf8')).toBe('one');
    const after = await xsync('status', '--rules', file);
    expect(after.code).toBe(0);
    expect(after.out.split('\n').map((line) => line.replace(/\d{4}-.* UTC/, 'TIME'))).toEqual([
      'RULE    HISTORY  SYNCHRONIZED UP TO       LAG P99  PENDING  FAILED  RPO',
      'two     100%     TIME           0        0',
      'one     100%     TIME           0        0       met (1h00m)',
      'one[1]  100%     TIME           0        0       met (1h00m)',
      'one[2]  100%     TIME           0        0       met (1h00m)',
      '',
    ]);
    const json = (await xsync('status', '--rules', file, '--json')).out.trim().split('\n');
    expect(json.map((line) => JSON.parse(line) as { rule: string }).map(({ rule }) => rule)).toEqual([
      'two',
      'one',
      'one[1]',
      'one[2]',
    ]);
    expect(JSON.parse(json[1] ?? '')).toMatchObject({ history: { percent: 100 }, rpo: { met: true } });
    // Without a terminal, what had nothing to do is not news.
    expect(await xsync('run', '--rules', file)).toEqual({ code: 0, out: '', err: '' });
  });

  test('one run takes an object through a whole chain, in whatever order the rules stand', async () => {
    const file = rules(`
rules:
  third: { source: ./c, destination: ./d, priority: 2 }
  second: { source: ./b, destination: ./c, priority: 1 }
  first: { source: ./a, destination: [./b, ./e] }
`);
    expect((await xsync('run', '--rules', file)).code).toBe(0);
    expect(readFileSync(join(home, 'd/x/one'), 'utf8')).toBe('one');
    // One that fails does not keep those after it from running.
    rmSync(join(home, 'a'), { recursive: true });
    writeFileSync(join(home, 'b/new'), 'new');
    expect((await xsync('run', '--rules', file)).code).toBe(3);
    expect(readFileSync(join(home, 'd/new'), 'utf8')).toBe('new');
  });

  test('the worst exit code counts, and a rule that fails keeps no other from running', async () => {
    const file = rules(
      'rules:\n  bad: { source: ./nowhere, destination: ./y, priority: 9 }\n  good: { source: ./a, destination: ./b }\n',
    );
    const { code, err } = await xsync('run', '--rules', file);
    expect([code, err]).toEqual([3, expect.stringContaining('bad: xsync:')]);
    expect(readFileSync(join(home, 'b/two'), 'utf8')).toBe('two');
    expect(worstExit([0, 5, 6])).toBe(6);
    expect(worstExit([5, 7, 130])).toBe(130);
    expect(worstExit([])).toBe(0);
  });

  test('without any, the error says where they belong', async () => {
    const { code, err } = await xsync('run');
    expect([code, err]).toEqual([
      2,
      expect.stringContaining('there are no rules — Write them under "rules:" in the config'),
    ]);
    const off = rules('rules:\n  off: { source: ./a, destination: ./b, enabled: false }\n');
    expect((await xsync('run', 'off', '--rules', off)).err).toContain('none of the rules is enabled');
    expect((await xsync('run', 'of', '--rules', off)).err).toContain('there is no rule "of"; the rules are off');
  });

  test('import writes rules that check accepts, and says what became of each line', async () => {
    const config = join(home, 'replication.json');
    const Destination = { Bucket: 'arn:aws:s3:::dst' };
    writeFileSync(
      config,
      JSON.stringify({ Rules: [{ ID: 'r', Filter: { Prefix: 'a/' }, Status: 'Enabled', Destination }] }),
    );
    const target = join(home, 'imported.yaml');
    const options = ['--source', 's3://src', '--rules', target];
    const dry = await xsync('rules', 'import', config, ...options, '--dry-run');
    expect(dry.out).toContain(
      'rules:\n  r:\n    source: s3://src/a/\n    destination: s3://dst/a/\n    mode: copy\n    historical: false\n',
    );
    const real = await xsync('rules', 'import', config, ...options);
    expect(real).toMatchObject({ code: 0, err: expect.stringContaining('Added 1 rule to /imported.yaml') });
    expect(real.out).toMatch(/^ExistingObjectReplication +default +S3 leaves out objects from before the rule/m);
    expect((await xsync('rules', 'import', config, ...options)).err).toContain(
      'imported.yaml:2:3: the rule "r" exists already',
    );
    expect((await xsync('rules', 'import', config, ...options, '--replace')).code).toBe(0);
    expect((await xsync('rules', 'list', '--rules', target)).out).toContain('s3://src/a/');
    expect((await xsync('rules', 'import', config)).err).toContain('--source is missing');
  });
});
