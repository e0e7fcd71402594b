/**
 * Measures how much of emulated long lines xsync uses. Needs root (network namespaces, /dev/net/tun), gcc and iproute2.
 *
 *   npm run bench -- --wan                        every case, once: about 40 minutes
 *   npm run bench -- --wan --case lossy-cubic     one case; can be repeated
 *   npm run bench -- --wan --runs 3               3 runs each
 *   npm run bench -- --wan --quick                an eighth of everything: only checks that the bench works
 *   npm run bench -- --wan --publish              also writes bench/results/wan.json and the table of docs/benchmarks.md;
 *                                                 with --case, the published results of the other cases stay
 *
 * The exit code is 1 when the median run of a case misses a target.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, type } from 'node:os';
import { join } from 'node:path';
import { optionsFrom, refuse } from './arguments.js';
import { median } from './figures.js';
import { publish } from './publish.js';
import { LINES, quick, WAN_CASES, type WanCase } from './wan/cases.js';
import { copyOver, type WanRun } from './wan/copy.js';
import { LATE_MS, mergedWan, type WanResult, type WanResults, type WanTaken } from './wan/report.js';
import { reached, type Shares } from './wan/score.js';

const ROOT = join(import.meta.dirname, '..');
const RESULTS = join(ROOT, 'bench', 'results');

interface Options {
  cases: readonly WanCase[];
  runs: number;
  publish: boolean;
}

function optionsOf(args: string[]): Options {
  const values = optionsFrom(import.meta.url, {
    args,
    options: {
      case: { type: 'string', multiple: true },
      runs: { type: 'string', default: '1' },
      quick: { type: 'boolean', default: false },
      publish: { type: 'boolean', default: false },
    },
  });
  const unknown = values.case?.find((name) => !WAN_CASES.some((known) => known.name === name));
  if (unknown !== undefined) {
    refuse(import.meta.url, `no case ${unknown}; there are ${WAN_CASES.map(({ name }) => name).join(', ')}`);
  }
  if (!/^[1-9]\d*$/.test(values.runs)) refuse(import.meta.url, '--runs must be a whole number of at least 1');
  if (process.getuid?.() !== 0) refuse(import.meta.url, 'network namespaces require root: use sudo');
  const chosen = WAN_CASES.filter(({ name }) => values.case === undefined || values.case.includes(name));
  return {
    cases: values.quick ? chosen.map(quick) : chosen,
    runs: Number(values.runs),
    publish: values.publish,
  };
}

function medianShares(runs: readonly WanRun[]): Shares {
  const shares: Shares = {};
  for (const name of ['whole', 'ramped', 'settled'] as const) {
    const values = runs.flatMap((run) => run.shares[name] ?? []);
    if (values.length > 0) shares[name] = median(values);
  }
  return shares;
}

/** One row: `lossy-cubic  whole 74.1 % (≥ 70 %)  ramped 88.0 % (≥ 85 %)  reached`. */
function row(bench: WanCase, shares: Shares, runs: readonly WanRun[]): string {
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  const told = (['whole', 'ramped', 'settled'] as const).flatMap((name) => {
    const target = bench.targets[name];
    const share = shares[name];
    if (share === undefined && target === undefined) return [];
    return [
      `${name} ${share === undefined ? 'not measured' : percent(share)}${target === undefined ? '' : ` (≥ ${target * 100} %)`}`,
    ];
  });
  const seconds = `${median(runs.map(({ wallS }) => wallS)).toFixed(1)} s`;
  const wasted = median(runs.map(({ waste }) => waste.bytes)) / (bench.objects * bench.size);
  const late = runs.some(({ lateMs }) => lateMs > LATE_MS) ? '  (not reliable: the machine was busy)' : '';
  const verdict = reached(bench, shares) ? 'reached' : 'MISSED';
  return [bench.name.padEnd(20), seconds, ...told, `waste ${percent(wasted)}`, verdict].join('  ') + late;
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
}

function takenNow(args: string[], date: string, loadBefore: number): WanTaken {
  const changed = git('status', '--porcelain', '--', 'src', 'bin') !== '';
  return {
    options: args.join(' '),
    date,
    commit: git('rev-parse', '--short', 'HEAD') + (changed ? '+' : ''),
    machine: {
      processor: cpus()[0]?.model.trim() ?? 'unknown',
      cores: cpus().length,
      kernel: `${type()} ${release().split('-', 1)[0]}`,
      node: process.versions.node,
      loadBefore,
      loadAfter: loadavg()[0] ?? Number.NaN,
    },
  };
}

/** After each case, so that nothing that happens later loses it. */
function keep(cases: WanResult[], published: boolean): void {
  const file = join(RESULTS, published ? 'wan.json' : 'wan-latest.json.tmp');
  mkdirSync(RESULTS, { recursive: true });
  const older = published && existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as WanResults) : undefined;
  writeFileSync(file, `${JSON.stringify(mergedWan(older, { lines: LINES, cases }), null, 2)}\n`);
}

async function main(args: string[]): Promise<void> {
  const { cases, runs: count, publish: published } = optionsOf(args);
  const loadBefore = loadavg()[0] ?? Number.NaN;
  const date = new Date().toISOString();
  const done: WanResult[] = [];
  for (const bench of cases) {
    const runs: WanRun[] = [];
    try {
      while (runs.length < count) runs.push(await copyOver(bench));
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    }
    if (runs.length === 0) continue;
    const shares = medianShares(runs);
    process.stdout.write(`${row(bench, shares, runs)}\n`);
    const taken = takenNow(args, date, loadBefore);
    done.push({ case: bench, shares, reached: reached(bench, shares), runs, taken });
    keep(done, published);
  }
  if (published) publish();
  if (done.some((one) => !one.reached)) process.exitCode = 1;
}

await main(process.argv.slice(2));
