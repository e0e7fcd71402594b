import { readFileSync } from 'node:fs';

/** As package.json says; the same file serves the sources and the built tree. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
