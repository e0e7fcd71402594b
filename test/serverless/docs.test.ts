/** docs/serverless.md names every variable, with its meaning and default, and every handler. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type * as z from 'zod';
import { COPY, PULL, PUSH } from '../../src/serverless/settings.js';

const text = readFileSync(new URL('../../docs/serverless.md', import.meta.url), 'utf8');
const GROUPS: Record<string, Record<string, z.ZodType>> = { push: PUSH, pull: PULL, copy: COPY };

test.each(Object.keys({ ...PUSH, ...PULL, ...COPY }))('%s', (name) => {
  const groups = Object.keys(GROUPS).filter((group) => GROUPS[group]?.[name]);
  const meanings = new Set(groups.map((group) => GROUPS[group]?.[name]?.description));
  const row = text.split('\n').find((line) => line.startsWith(`| \`${name}\` | `)) ?? expect.fail(`${name} has no row`);
  expect(row.split('|')[2]?.trim()).toBe(groups.join(', '));
  expect(
    [...meanings].some((meaning) => meaning !== undefined && row.includes(meaning)),
    row,
  ).toBe(true);
});

test('every zip and its handlers', () => {
  const folder = new URL('../../src/serverless/entry/', import.meta.url);
  for (const file of readdirSync(folder)) {
    const source = readFileSync(new URL(file, folder), 'utf8');
    const handlers = [...source.matchAll(/export const (\w+)/g)].map(([, name]) => `\`index.${name}\``);
    const row = text.split('\n').find((line) => line.includes(`\`${file.replace('.ts', '.zip')}\``)) ?? '';
    for (const handler of handlers) expect(text, `${file}: ${handler}`).toContain(handler);
    expect(row, file).not.toBe('');
  }
});
