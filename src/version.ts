/** Tests: test/cli/main.test.ts */
import { readFileSync } from 'node:fs';

/** The version in package.json, found from both the sources and the build. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
