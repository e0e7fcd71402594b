/** Writes xsync.1 beside this file: `npm run man`. */
import { writeFileSync } from 'node:fs';
import { buildProgram } from '../src/cli/main.js';
import { manPage } from '../src/cli/render/man.js';
import { VERSION } from '../src/version.js';

const { stdin, stdout, stderr } = process;
const root = buildProgram({ stdin, stdout, stderr, env: {}, now: Date.now }, () => {});
writeFileSync(new URL('xsync.1', import.meta.url), manPage(root, VERSION));
