import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { writeLines } from '../../../src/cli/render/wrapped.js';

const LONG =
  '2026-11-29T14:05:43Z NOTICE ended; everything in flight is finished or checkpointed\n  a further line with many words\n';

function written(terminal: object): string {
  const stream = Object.assign(new PassThrough(), terminal);
  writeLines(stream, LONG);
  return String(stream.read());
}

test('a message on a terminal is wrapped between words, at any width', () => {
  expect(written({ isTTY: true, columns: 80 })).toBe(
    '2026-11-29T14:05:43Z NOTICE ended; everything in flight is finished or\n  checkpointed\n  a further line with many words\n',
  );
  for (const columns of [24, 40, 60, 140]) {
    const rows = written({ isTTY: true, columns }).trimEnd().split('\n');
    for (const row of rows) expect(row.length).toBeLessThan(columns);
    expect(rows.flatMap((row) => row.trim().split(' '))).toEqual(LONG.trim().split(/\s+/));
  }
});

test('a pipe gets it in one line, so that it can be searched', () => {
  expect(written({})).toBe(LONG);
});
