/** docs/rclone.md: each of its rows is tried against the program, so that the tables stay true. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { buildProgram, main } from '../../src/cli/main.js';
import { fakeIo } from './fixtures.js';

interface Row {
  title: string;
  name: string;
  here: string;
  text: string;
}

const ROWS = rowsOf(readFileSync(new URL('../../docs/rclone.md', import.meta.url), 'utf8'));
const program = buildProgram(fakeIo(), () => {});
const isOption = ({ name }: Row): boolean => name.startsWith('-');

function rowsOf(text: string): Row[] {
  let title = '';
  return text.split('\n').flatMap((line) => {
    title = /^## (.*)/.exec(line)?.[1] ?? title;
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|').replaceAll('`', ''));
    const [, name = '', here = '', said = ''] = cells;
    if (cells.length !== 5 || title === '' || here === 'here' || name.startsWith('---')) return [];
    return [{ title, name: name.split(', ').at(-1) ?? '', here, text: said }];
  });
}

function commandAt(words: readonly string[]): Command | undefined {
  let found: Command | undefined = program;
  for (const word of words) found = found?.commands.find((each) => each.name() === word);
  return found;
}

async function refusal(args: string[]): Promise<string> {
  const io = fakeIo();
  expect(await main(args, io), args.join(' ')).toBe(2);
  return io.stderr.text();
}

const everyCommand = program.commands.flatMap((command) => [command, ...command.commands]);
const hasOption = (name: string) => everyCommand.some(({ options }) => options.some(({ long }) => long === name));
const hasCommand = (name: string) => commandAt(name.split(' ')) !== undefined;

test('the tables have the options and commands of rclone that they promise', () => {
  expect(ROWS.filter(isOption).length).toBeGreaterThan(290);
  expect(ROWS.filter((row) => !isOption(row)).length).toBeGreaterThan(75);
  expect(new Set(ROWS.map(({ here }) => here))).toEqual(new Set(['same', 'other name', 'not needed', 'not supported']));
});

describe.each([...new Set(ROWS.map(({ title }) => title))])('%s', (title) => {
  test.each(ROWS.filter((row) => row.title === title))('$name: $here', async (row) => {
    const { name, here, text } = row;
    if (here === 'same') return expect(isOption(row) ? hasOption(name) : hasCommand(name)).toBe(true);
    const said = await refusal(isOption(row) ? ['copy', 'a', 'b', name] : name.split(' '));
    expect(said).toContain(text);
    expect(said).toMatch(isOption(row) ? /^xsync: unknown option '/ : /^xsync: unknown command '/);
    expect(text).not.toBe('');
  });
});

test('what the sentences recommend is there', () => {
  for (const { name, text } of ROWS) {
    for (const [option] of text.matchAll(/--[a-z][\w-]*/g)) {
      if (option !== '--cpu-prof') expect(hasOption(option) || option === '--help', `${name}: ${option}`).toBe(true);
    }
    for (const [, command = ''] of text.matchAll(/\bxsync ([a-z]+)\b/g)) {
      expect(hasCommand(command) || VERBS.includes(command), `${name}: xsync ${command}`).toBe(true);
    }
  }
});

const VERBS = [
  'does',
  'reads',
  'asks',
  'uses',
  'keeps',
  'signs',
  'notices',
  'finds',
  'knows',
  'follows',
  'copies',
  'writes',
  'put',
];

test('a short option, and one with a value, which is never shown', async () => {
  expect(await refusal(['copy', '-l', 'a', 'b'])).toContain('use --links keep');
  expect(await refusal(['ls', '-R', 'a'])).toContain('always include what lies below the path');
  expect(await refusal(['rcat', '--metadata-set=secret', 'a'])).toContain('it is an option of copy, copyto');
  expect(await refusal(['copy', '--s3-secret-access-key=hunter2', 'a', 'b'])).not.toContain('hunter2');
  expect(await refusal(['copy', '--nonsense=hunter2', 'a', 'b'])).toMatch(/^xsync: unknown option '--nonsense'\n/);
});

test('an option of another command is named with it', async () => {
  expect(await refusal(['copy', 'a', 'b', '--delete-after'])).toContain(
    "'--delete-after': it is an option of sync and watch",
  );
});

test('a misspelled one is still guessed', async () => {
  expect(await refusal(['copy', 'a', 'b', '--transfer=4'])).toContain('Did you mean --transfers?');
  expect(await refusal(['copi', 'a', 'b'])).toContain('Did you mean copy?');
});
