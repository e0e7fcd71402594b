import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { columns, tables, withTables } from './matrix.js';
import { Places } from './places.js';

let places: Places;
beforeAll(async () => {
  places = await Places.start();
});
afterAll(() => places.close());

test('docs/fidelity.md shows what runs do (npm run docs:fidelity writes it)', async () => {
  const page = readFileSync(new URL('../../../docs/fidelity.md', import.meta.url), 'utf8');
  expect(withTables(page, tables(await columns(places)))).toBe(page);
});
