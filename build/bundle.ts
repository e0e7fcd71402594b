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

/** What a run checks with zod, it checks a few times: for that, zod's generated code is not worth its compilation. */
const BANNER = `const BUNDLE_URL = require('node:url').pathToFileURL(__filename).href;
globalThis.__zod_globalConfig = { jitless: true };`;

/** Parts of Node that take milliseconds to load, and that most runs do not use. */
const RARE = ['child_process', 'http', 'https', 'perf_hooks', 'readline', 'tls', 'worker_threads'];

/** Loads them when something of theirs is used, although packages name them at their start. */
const rareWhenUsed: Plugin = {
  name: 'rare-when-used',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^(node:)?(${RARE.join('|')})$`) }, ({ path, namespace }) =>
      namespace === 'rare' ? { path, external: true } : { path: path.replace('node:', ''), namespace: 'rare' },
    );
    onLoad({ filter: /./, namespace: 'rare' }, async ({ path }) => {
      const { default: all } = await import(`node:${path}`);
      const getters = Object.keys(all).map((name) => `get ${name}() { return part().${name} }`);
      return {
        contents: `let loaded; const part = () => (loaded ??= require('node:${path}'));
          module.exports = { ${getters.join(', ')} };`,
      };
    });
  },
};

/** Finds the native part of better-sqlite3 where it is; the package that does it by default looks in a dozen places. */
const nativeSqlite: Plugin = {
  name: 'native-sqlite',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^bindings$/ }, () => ({ path: 'bindings', namespace: 'native-sqlite' }));
    onResolve({ filter: /^better-sqlite3\//, namespace: 'native-sqlite' }, ({ path }) => ({ path, external: true }));
    onLoad({ filter: /./, namespace: 'native-sqlite' }, () => ({ contents: FIND_SQLITE }));
  },
};

/** Fails as that package does (model/surroundings.ts), unless all of better-sqlite3 is missing. */
const FIND_SQLITE = `module.exports = () => {
  try {
    return require('better-sqlite3/build/Release/better_sqlite3.node');
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error;
    require.resolve('better-sqlite3/package.json');
    throw new Error('Could not locate the bindings file: ' + error.message);
  }
};`;

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
    supported: {
      'dynamic-import': false,
      // esbuild else compiles such a literal anew each time.
      'regexp-unicode-property-escapes': true,
      'regexp-lookbehind-assertions': true,
    },
    platform: 'node',
    target: 'node20.19',
    define: { 'import.meta.url': 'BUNDLE_URL' },
    banner: { js: BANNER },
    legalComments: 'none',
    sourcemap: 'linked',
    metafile: true,
    logLevel: 'warning',
    plugins: [rareWhenUsed, nativeSqlite, ...plugins],
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
