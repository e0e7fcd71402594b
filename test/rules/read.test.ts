import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ConfigDocument } from '../../src/config/document.js';
import type { OptionSpec } from '../../src/engine/job/option.js';
import { MODES, WATCH } from '../../src/engine/job/options.js';
import { toXsyncError } from '../../src/model/error.js';
import { OPTIONS } from '../../src/rules/keys.js';
import { rulesIn } from '../../src/rules/read.js';
import { pairsOf, type Rule } from '../../src/rules/rule.js';

export function read(yaml: string, env: NodeJS.ProcessEnv = {}): Promise<Rule[]> {
  return rulesIn(new ConfigDocument(yaml, 'F'), env);
}

async function complaint(lines: string): Promise<string> {
  const yaml = `rules:\n  photos:\n${lines.replace(/^(?=.)/gm, '    ')}`;
  return read(yaml).then(
    () => 'accepted',
    (error) => toXsyncError(error).message,
  );
}

const PLACES = 'source: a:b\ndestination: c:d\n';

describe('a rule', () => {
  test('has a name, a source, destinations and what jobs have', async () => {
    const [rule, other] = await read(`
rules:
  photos:
    source: east:photos
    destination: [west:photos, shanghai:photos]
    priority: 3
    mode: sync
    rpo: 15m
    maxDelete: 10%
    partSize: 16M
    checkCertificate: false
    include: "*.jpg"
    bwlimit: 10M:1M
    interval: 5m
  other: { source: a, destination: b, delete: true, enabled: false, historical: false }
`);
    expect(rule).toMatchObject({
      ...{ name: 'photos', place: 'F:3:3', enabled: true, mode: 'sync', source: 'east:photos', priority: 3 },
      ...{ destinations: ['west:photos', 'shanghai:photos'], historical: true, rpoMs: 900_000 },
      options: {
        ...{ maxDelete: { percent: 10 }, partSize: 16 * 2 ** 20, checkCertificate: false, include: ['*.jpg'] },
        ...{ bwlimit: { up: 10 * 2 ** 20, down: 2 ** 20 }, interval: 300_000 },
      },
    });
    expect(other).toMatchObject({ mode: 'sync', enabled: false, historical: false, options: {} });
  });

  test('takes references to the environment, and an unset one concerns the rules alone', async () => {
    const yaml = `remotes:\nrules:\n  one:\n    source: "\${FROM}"\n    destination: b\n`;
    expect(await read(yaml, { FROM: 'east:x' })).toMatchObject([{ source: 'east:x' }]);
    await expect(read(yaml)).rejects.toThrow('F:4:13: the environment variable FROM is not set');
    expect(new ConfigDocument(yaml, 'F').filled({}).unset).toEqual(new Map());
  });

  test.each([
    ['destination: c:d', 'F:2:3: rule "photos": lacks source'],
    [`${PLACES}intervall: 30s`, 'F:5:5: rule "photos": unknown key "intervall"; did you mean "interval"?'],
    [`${PLACES}deletes: true`, 'F:5:5: rule "photos": unknown key "deletes"; write "mode: sync"'],
    [
      `${PLACES}interval: 30`,
      'F:5:15: rule "photos": interval must be a duration with its unit, such as 30s or 5m; found 30',
    ],
    [
      `${PLACES}partSize: "16"`,
      'F:5:15: rule "photos": partSize must be a size with its unit, such as 16M; found "16"',
    ],
    [`${PLACES}update: 1`, 'F:5:13: rule "photos": update must be true or false; found 1'],
    [`${PLACES}mode: watch`, 'F:5:11: rule "photos": mode must be one of copy, sync, mirror, move; found "watch"'],
    [
      `${PLACES}compare: fast`,
      'F:5:14: rule "photos": compare must be one of checksum, size-only, ignore-times, default; found "fast"',
    ],
    [`${PLACES}transfers: 0`, 'F:5:16: rule "photos": transfers: "0" is not a whole number from 1 to 100000'],
    [`${PLACES}rpo: 15`, 'F:5:10: rule "photos": rpo must be a duration with its unit, such as 30s or 5m; found 15'],
    [`${PLACES}priority: high`, 'F:5:15: rule "photos": priority must be a whole number; found "high"'],
    [`${PLACES}trackRenames: true`, 'F:5:19: rule "photos": trackRenames: a copy job has no such option'],
    [
      `${PLACES}mode: copy\ndelete: true`,
      'F:6:5: rule "photos": "delete: true" contradicts "mode: copy"; leave one of them out',
    ],
    [
      `${PLACES}schedule: "* * * *"`,
      'F:5:15: rule "photos": schedule: "* * * *" is not a cron expression: it has not five fields; write minute, hour, day, month and weekday, such as "*/15 * * * *"',
    ],
    [
      `${PLACES}schedule: "@daily"\ntimezone: Mars/Olympus`,
      'F:6:15: rule "photos": timezone: "Mars/Olympus" is not a time zone; write a name such as Asia/Shanghai or UTC',
    ],
    [`${PLACES}timezone: UTC`, 'F:5:5: rule "photos": timezone means nothing without schedule; leave it out'],
    [
      `${PLACES}schedule: "@daily"\ninterval: 1m`,
      'F:6:5: rule "photos": interval and schedule exclude each other; leave one of them out',
    ],
    [
      `${PLACES}prefixes: a\ninclude: b`,
      'F:6:5: rule "photos": include and prefixes exclude each other; write both as filter rules: "+ /a/**", "- **"',
    ],
    [
      'source: a\ndestination: [b, c]\nmanifest: m',
      'F:5:5: rule "photos": each destination has a manifest of its own; leave it out, or write a rule for each',
    ],
    ['source: a\ndestination: [b, b]', 'F:4:5: rule "photos": destination names b twice'],
    [
      'source: a\ndestination: [b, c]\nmode: move',
      'F:4:5: rule "photos": the first destination would take the objects away from the others; use mode copy, or one destination',
    ],
    [
      `${PLACES}versions: true\nhistorical: false`,
      'F:6:5: rule "photos": a history is copied whole; leave out "historical: false", or versions',
    ],
  ])('%s is refused with its line', async (lines, message) => {
    expect(await complaint(lines)).toBe(message);
  });

  test('is not the only one to be told of', async () => {
    const yaml = 'rules:\n  a b: { source: x, destination: y }\n  c:\n  d: { source: x }\n';
    await expect(read(yaml)).rejects.toThrow(
      'F:2:3: rule "a b": its name has other characters than A-Z a-z 0-9 _ . -\n' +
        'F:3:3: rule "c": has no settings; it needs at least source and destination\n' +
        'F:4:3: rule "d": lacks destination',
    );
  });
});

/** A value of the kind, as YAML. */
function sample(option: OptionSpec): string {
  switch (option.kind) {
    case 'switch':
    case 'negated':
      return 'true';
    case 'list':
      return '[x]';
    case 'choice':
      return option.choices[0] ?? '';
    case 'one-of':
      return Object.keys(option.choices)[0] ?? '';
    case 'text':
      return 'x';
    case 'bandwidth':
    case 'size':
      return '10M';
    case 'count-or-percent':
      return '10%';
    case 'count':
    case 'count-or-auto':
    case 'rate':
      return '3';
    default:
      return '2h';
  }
}

const EACH = (['copy', 'move', 'sync', 'mirror'] as const).flatMap((mode) =>
  Object.entries({ ...MODES[mode], ...WATCH })
    .filter(([name]) => name !== 'delete' && name !== 'mirror')
    .map(([name, option]): [string, string, OptionSpec] => [mode, name, option]),
);

test('has every option of a job under its name in a program', async () => {
  for (const [mode, name, option] of EACH) {
    const [rule] = await read(`rules: { r: { source: a, destination: b, mode: ${mode}, ${name}: ${sample(option)} } }`);
    const [pair] = rule ? pairsOf(rule) : [];
    const said = { ...pair?.schedule, ...pair?.job };
    expect(said, `${mode} ${name}`).toHaveProperty(name);
    expect(rule?.options).toHaveProperty(name);
  }
  expect(Object.keys(OPTIONS)).toEqual(expect.arrayContaining(EACH.map(([, name]) => name)));
});

test('the example is valid, and says what docs say', async () => {
  const text = readFileSync(new URL('../../examples/rules.yaml', import.meta.url), 'utf8');
  const rules = await read(text);
  expect(rules.map(({ name, mode }) => `${name} ${mode}`)).toEqual([
    'photos sync',
    'logs copy',
    'documents mirror',
    'archive move',
  ]);
});
