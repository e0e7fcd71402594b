/** Writes the tables of docs/fidelity.md from runs between strict test servers: `npm run docs:fidelity`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { columns, tables, withTables } from '../test/engine/fidelity/matrix.js';
import { Places } from '../test/engine/fidelity/places.js';

const PAGE = new URL('../docs/fidelity.md', import.meta.url);

const places = await Places.start();
try {
  const page = readFileSync(PAGE, 'utf8');
  writeFileSync(PAGE, withTables(page, tables(await columns(places))));
} finally {
  await places.close();
}
