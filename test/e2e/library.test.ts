/** docs/library.md: its program is run, and its table of options is the one that the options are made from. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MODES } from '../../src/engine/job/options.js';
import { optionRows } from '../support/option-rows.js';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = readFileSync(join(PROJECT, 'docs/library.md'), 'utf8');

let temporary: string;

beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'xsync-test-'));
});
afterEach(() => rmSync(temporary, { recursive: true, force: true }));

function node(...args: string[]): string {
  const env = { PATH: process.env.PATH, HOME: temporary, TMPDIR: temporary };
  return execFileSync(process.execPath, args, { cwd: PROJECT, env, encoding: 'utf8' });
}

test('the program of the page is the example, says what the page shows, and leaves nothing behind', () => {
  const program = readFileSync(join(PROJECT, 'examples/library.ts'), 'utf8');
  expect(PAGE).toContain(`\`\`\`ts\n${program}\`\`\``);
  expect(PAGE).toContain(`\`\`\`text\n${node('--import', 'tsx', 'examples/library.ts')}\`\`\``);
  expect(readdirSync(temporary).filter((name) => name.startsWith('xsync'))).toEqual([]);
});

test('the built package is found by its name, and exports what the page names', () => {
  const names = node('--input-type=module', '-e', "import * as x from 'xsync'; console.log(Object.keys(x).join())");
  expect(names.trim()).toBe('XsyncError,check,copy,isXsyncError,mirror,openStore,status,sync,watch');
});

test('the page lists every option of every job', () => {
  for (const table of Object.values(MODES)) for (const row of optionRows(table)) expect(PAGE).toContain(row);
});
