/**
 * Bundles the program: one file whose code V8 can cache (bin/load.js), instead of five hundred. `npm run build`
 *
 * It is not minified: a stack trace in a bug report names our functions, and its lines can be looked up in the package,
 * where a comment names the source file of each part. The source maps beside it are for debuggers, and not published.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Metafile, type Plugin } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');

/** What is built: `dist/NAME.cjs` of the source file. */
const ENTRIES: Readonly<Record<string, string>> = { xsync: 'src/cli/main.ts', worker: 'src/open/worker.ts' };

/** Packages with native parts, and those that most runs do not need. They are loaded from node_modules. */
const OUTSIDE = [
  '@alicloud/*',
  '@aws-sdk/*',
  '@smithy/*',
  'ali-oss',
  'better-sqlite3',
  'bullmq',
  'fastify',
  'hash-wasm',
  'iconv-lite',
  'ioredis',
  'koffi',
  'prom-client',
  're2js',
  'undici',
];

/** Writes the bundles and the licenses of what is in them into a folder. */
export async function bundle(folder: string, plugins: Plugin[] = []): Promise<void> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ENTRIES,
    outdir: folder,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    external: OUTSIDE,
    // V8's cached code cannot import, only require.
    format: 'cjs',
    supported: { 'dynamic-import': false },
    platform: 'node',
    target: 'node20.19',
    define: { 'import.meta.url': 'BUNDLE_URL' },
    banner: { js: "const BUNDLE_URL = require('node:url').pathToFileURL(__filename).href;" },
    legalComments: 'none',
    sourcemap: 'linked',
    metafile: true,
    logLevel: 'warning',
    plugins,
  });
  for (const name of Object.keys(ENTRIES)) escapeAll(join(folder, `${name}.cjs`));
  writeFileSync(join(folder, 'LICENSES'), licensesOf(metafile));
}

/** bin/load.js reads ASCII. esbuild leaves other characters in the text of tagged templates. */
function escapeAll(file: string): void {
  const text = readFileSync(file, 'utf8');
  const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  writeFileSync(file, text.replace(/[\u0080-\uffff]/g, escaped));
}

/** The license of each package in the bundles. */
export function licensesOf({ inputs }: Metafile): string {
  const folders = Object.keys(inputs).map((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]);
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort().map(licenseOf).join('\n');
}

function licenseOf(folder: string): string {
  const path = join(ROOT, folder);
  const { name, version } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
  const file = readdirSync(path).find((each) => /^licen[cs]e/i.test(each));
  if (file === undefined) throw new Error(`${name} has no license file: do not bundle it`);
  return `${name} ${version}\n\n${readFileSync(join(path, file), 'utf8').trim()}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await bundle(join(ROOT, 'dist'));
