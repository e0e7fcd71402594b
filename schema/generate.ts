/** Writes config.schema.json beside itself: `npx tsx schema/generate.ts`. */
import { writeFileSync } from 'node:fs';
import { configJsonSchemaText } from '../src/config/json-schema.js';

writeFileSync(new URL('config.schema.json', import.meta.url), configJsonSchemaText());
