/**
 * Measures xsync beside rclone on the same server in the same run: CPU, time, memory and requests.
 *
 *   npm run bench                          every case, 5 runs each (long ones 3), tables on standard output
 *   npm run bench -- --case copy-4k        one case; can be repeated
 *   npm run bench -- --runs 9              so many runs
 *   npm run bench -- --quick               a tenth of everything, once: only to see that it works
 *   npm run bench -- --publish             also writes bench/results/published.json and docs/benchmarks.md
 *
 * Within a case the contenders take turns, so that whatever else the machine does meets all of them.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CASES, type Case, quick, titleOf } from './cases.js';
import { type CaseResult, markdown, type Results, withFigures } from './report.js';
import { startStub } from './stub.js';
import { rcloneVersion, Tools } from './tools.js';

const ROOT = join(import.meta.dirname, '..');
const RESULTS = join(ROOT, 'bench', 'results');

interface Options {
  cases: readonly Case[];
  runs: number | undefined;
  publish: boolean;
}

function optionsOf(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      case: { type: 'string', multiple: true },
      runs: { type: 'string' },
      quick: { type: 'boolean' },
      publish: { type: 'boolean' },
    },
  });
  const unknown = values.case?.find((name) => !CASES.some((known) => known.name === name));
  if (unknown !== undefined) {
    throw new Error(`no case ${unknown}; there are ${CASES.map(({ name }) => name).join(', ')}`);
  }
  if (values.runs !== undefined && !/^[1-9]\d*$/.test(values.runs)) throw new Error('--runs takes a number from 1 on');
  const chosen = CASES.filter(({ name }) => values.case === undefined || values.case.includes(name));
  const cases = values.quick
    ? chosen.map((bench) => ({
        ...bench,
        source: quick(bench.source),
        destination: bench.destination && quick(bench.destination),
      }))
    : chosen;
  const runs = values.runs === undefined ? undefined : Number(values.runs);
  return { cases, runs: values.quick ? (runs ?? 1) : runs, publish: values.publish === true };
}

async function measure(bench: Case, runs: number): Promise<CaseResult> {
  const stub = await startStub(bench.delayMs);
  const folder = mkdtempSync(join(tmpdir(), 'xsync-bench-'));
  try {
    const contenders = bench.contenders.map((contender, index) => {
      const own = join(folder, String(index));
      mkdirSync(own);
      return { contender, tools: new Tools(own, stub), runs: [] as CaseResult['contenders'][number]['runs'] };
    });
    for (const { contender, tools } of contenders) await tools.prepare(bench, contender);
    for (let round = 1; round <= runs; round++) {
      for (const { contender, tools, runs: done } of contenders) {
        const run = await tools.run(bench, contender);
        done.push(run);
        const told = `${run.cpuS.toFixed(2)} CPU s, ${run.wallS.toFixed(2)} s, ${run.peakRssMiB.toFixed(0)} MiB`;
        process.stderr.write(`${bench.name} ${round}/${runs} ${contender.label}: ${told}\n`);
      }
    }
    const { name, per, source } = bench;
    return {
      name,
      title: titleOf(bench),
      per,
      ...source,
      contenders: contenders.map(({ contender: { label, tool, args }, runs: all }) => ({
        label,
        command: [tool, ...args].join(' '),
        runs: all,
      })),
    };
  } finally {
    await stub.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
}

/** Nothing that tells one machine from another of its kind: no host name, no paths. */
function machine(rclone: string, loadBefore: number): Results['machine'] {
  const round = (load: number) => Math.round(load * 10) / 10;
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    kernel: `${type()} ${release().split('-', 1)[0]}`,
    node: process.versions.node,
    rclone,
    loadBefore: round(loadBefore),
    loadAfter: round(loadavg()[0] ?? Number.NaN),
  };
}

async function main(args: string[]): Promise<void> {
  const { cases, runs, publish } = optionsOf(args);
  const rclone = rcloneVersion();
  if (rclone === undefined) throw new Error('rclone is what xsync is measured beside (apt install rclone)');
  const loadBefore = loadavg()[0] ?? Number.NaN;
  const done: CaseResult[] = [];
  for (const bench of cases) done.push(await measure(bench, runs ?? bench.runs ?? 5));
  const changed = git('status', '--porcelain', '--', 'src', 'bin') !== '';
  const results: Results = {
    options: args.join(' '),
    date: new Date().toISOString(),
    commit: git('rev-parse', '--short', 'HEAD') + (changed ? '+' : ''),
    machine: machine(rclone, loadBefore),
    cases: done,
  };
  const figures = markdown(results);
  process.stdout.write(`${figures}\n`);
  mkdirSync(RESULTS, { recursive: true });
  const json = `${JSON.stringify(results, null, 2)}\n`;
  writeFileSync(join(RESULTS, publish ? 'published.json' : 'latest.json.tmp'), json);
  if (!publish) return;
  const page = join(ROOT, 'docs', 'benchmarks.md');
  writeFileSync(page, withFigures(readFileSync(page, 'utf8'), figures));
}

await main(process.argv.slice(2));
