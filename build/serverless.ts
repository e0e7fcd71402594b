/**
 * Bundles the handlers for functions in the clouds: a zip each, without native modules and without node_modules.
 * `npm run bundle:serverless`
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { unzipSync, zipSync } from 'fflate';
import { VERSION } from '../src/version.js';
import { licensesOf } from './bundle.js';

const ROOT = join(import.meta.dirname, '..');

export const ZIPS = ['lambda-push', 'lambda-pull', 'lambda-copy', 'fc-push', 'fc-pull', 'fc-copy'] as const;

/**
 * What no function needs: parts that are compiled for one machine, state on a disk, a server of our own, credentials from
 * files and machines, and the vendors' SDKs for `--transport sdk`.
 */
const NEVER =
  /^(better-sqlite3|koffi|fastify|re2js|iconv-lite|ali-oss|@alicloud\/.*|@aws-sdk\/(client-s3|client-sqs|credential-provider-.*))$/;

/** Whoever needs it all the same is told so. The version is that of the package, which a zip does not have. */
const inZip: Plugin = {
  name: 'in-zip',
  setup({ onResolve, onLoad }) {
    onLoad({ filter: /\/src\/version\.ts$/ }, () => ({
      contents: `export const VERSION = ${JSON.stringify(VERSION)}`,
    }));
    // What another package loads at its start, it may never use.
    onResolve({ filter: NEVER }, ({ path, importer }) => ({
      path,
      namespace: importer.includes('/node_modules/') ? 'empty' : 'missing',
    }));
    onLoad({ filter: /./, namespace: 'empty' }, () => ({ contents: '' }));
    onLoad({ filter: /./, namespace: 'missing' }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is not in the bundles for functions`)})`,
    }));
  },
};

/** Writes `NAME.zip` for each into a folder. @returns their sizes, bytes */
export async function bundleServerless(folder: string): Promise<Record<string, number>> {
  const { metafile, outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: Object.fromEntries(ZIPS.map((name) => [name, `src/serverless/entry/${name}.ts`])),
    outdir: folder,
    write: false,
    bundle: true,
    plugins: [inZip],
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    define: { 'import.meta.url': 'BUNDLE_URL' },
    banner: { js: "const BUNDLE_URL = require('node:url').pathToFileURL(__filename).href;" },
    // Names stay, so that a stack trace in a log can be read.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    logOverride: { 'import-is-undefined': 'silent' },
  });
  mkdirSync(folder, { recursive: true });
  const licenses = Buffer.from(licensesOf(metafile));
  const sizes: Record<string, number> = {};
  for (const { path, contents } of outputFiles) {
    const name = path.slice(folder.length + 1).replace(/\.js$/, '');
    const zip = zipSync({ 'index.js': contents, LICENSES: licenses }, { level: 9, mtime: '2020-01-01' });
    writeFileSync(join(folder, `${name}.zip`), zip);
    sizes[name] = zip.byteLength;
  }
  return sizes;
}

/** CPU and wall time of a new process until the handlers of a zip are ready, ms: the middle of some runs. */
function startOf(folder: string, name: string): { cpuMs: number; wallMs: number } {
  const place = mkdtempSync(join(tmpdir(), 'xsync-start-'));
  try {
    const [index = new Uint8Array()] = Object.values(unzipSync(readFileSync(join(folder, `${name}.zip`))));
    writeFileSync(join(place, 'index.js'), index);
    const script = `const t = performance.now(), c = process.cpuUsage(); require('./index.js');
      const { user, system } = process.cpuUsage(c); console.log((user + system) / 1000, performance.now() - t)`;
    const runs = Array.from({ length: 9 }, () =>
      execFileSync(process.execPath, ['-e', script], { cwd: place, env: SETTINGS, encoding: 'utf8' })
        .trim()
        .split(' ')
        .map(Number),
    );
    const middle = (column: number): number => runs.map((run) => run[column] ?? 0).sort((a, b) => a - b)[4] ?? 0;
    return { cpuMs: Math.round(middle(0)), wallMs: Math.round(middle(1)) };
  } finally {
    rmSync(place, { recursive: true });
  }
}

/** With which every handler starts. */
const SETTINGS = {
  ...{
    XSYNC_SOURCE: 's3://source',
    XSYNC_DESTINATION: 'oss://destination',
    XSYNC_PULL_URL: 'https://bridge.example.cn',
  },
  ...{ XSYNC_ALLOW_HOST: '*.example.com', XSYNC_STATE: 'dynamodb://xsync-bridge' },
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const folder = join(ROOT, 'dist', 'functions');
  for (const [name, bytes] of Object.entries(await bundleServerless(folder))) {
    const { cpuMs, wallMs } = startOf(folder, name);
    console.log(
      `${join('dist', 'functions', name)}.zip  ${Math.ceil(bytes / 1024)} KiB  ready after ${cpuMs} ms CPU, ${wallMs} ms`,
    );
  }
}
