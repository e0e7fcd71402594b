/**
 * Measures xsync and other tools with the same server in the same run: CPU, time, memory and requests.
 *
 *   npm run bench                          every case, 5 runs each, tables on standard output
 *   npm run bench -- --case copy-4k        one case, or all of a kind (copy, disk, up, …); can be repeated
 *   npm run bench -- --runs 9              9 runs each
 *   npm run bench -- --peers DIR           other tools are taken from DIR if it has them
 *   npm run bench -- --quick               a tenth of everything, once: only checks that the bench works
 *   npm run bench -- --compare COMMIT      xsync only: this work tree and another commit in turn
 *   npm run bench -- --publish             also writes bench/results/published.json, and page and chart in docs/; with
 *                                          --case, the published results of the other cases stay
 *   npm run bench -- --case diff-flat --times 10   ten times the objects, and xsync alone
 *   npm run bench -- --render              no measurement: writes page and chart again
 *   sudo npm run bench -- --wan            emulated long lines; options as in bench/wan.ts
 *
 * The contenders of a case alternate, so that other load on the machine affects all of them. Results are written after
 * each case. The exit code is 1 when a contender failed or a goal was missed.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir, totalmem, type } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { optionsFrom, refuse } from './arguments.js';
import { build, compared } from './builds.js';
import { CASES, type Case, quick, scaled, titleOf } from './cases.js';
import type { Contender } from './contenders.js';
import { type CaseResult, type ContenderResult, merged, type Results, type Taken } from './figures.js';
import { verdicts } from './goals.js';
import { publish } from './publish.js';
import { markdown, standing } from './report.js';
import { fill } from './sources.js';
import { startStub } from './stub.js';
import { canRun, findTools, SOURCE, Tools } from './tools.js';

const ROOT = join(import.meta.dirname, '..');
const RESULTS = join(ROOT, 'bench', 'results');
const RUNS = 5;

interface Options {
  /** The arguments, without folders of this machine. */
  told: string;
  cases: readonly Case[];
  runs: number;
  /** Folder of other tools, before the PATH. */
  peers?: string;
  /** Another commit, to compare with. */
  compare?: string;
  quick: boolean;
  /** So many times the objects. */
  times?: string;
  publish: boolean;
  render: boolean;
}

function optionsOf(args: string[]): Options {
  const values = optionsFrom(import.meta.url, {
    args,
    options: {
      case: { type: 'string', multiple: true },
      runs: { type: 'string' },
      peers: { type: 'string' },
      compare: { type: 'string' },
      quick: { type: 'boolean', default: false },
      times: { type: 'string' },
      publish: { type: 'boolean', default: false },
      render: { type: 'boolean', default: false },
    },
  });
  const named = (wanted: string): boolean => CASES.some(({ name }) => name === wanted);
  const means = (wanted: string, { name }: Case): boolean =>
    name === wanted || (!named(wanted) && name.startsWith(`${wanted}-`));
  const unknown = values.case?.find((wanted) => !CASES.some((known) => means(wanted, known)));
  if (unknown !== undefined) {
    refuse(import.meta.url, `no case ${unknown}; there are ${CASES.map(({ name }) => name).join(', ')}`);
  }
  if (values.runs !== undefined && !/^[1-9]\d*$/.test(values.runs))
    refuse(import.meta.url, '--runs must be a whole number of at least 1');
  if (values.publish && (values.compare || values.quick))
    refuse(import.meta.url, '--publish cannot be combined with --compare or --quick');
  if (values.times !== undefined && (!/^[1-9]\d*$/.test(values.times) || values.publish || values.quick))
    refuse(import.meta.url, '--times must be a whole number, without --publish and --quick');
  const factor = values.times === undefined ? undefined : Number(values.times);
  const chosen = CASES.filter((bench) => values.case?.some((wanted) => means(wanted, bench)) ?? true);
  return {
    ...values,
    told: args.filter((arg, at) => arg !== '--peers' && args[at - 1] !== '--peers').join(' '),
    cases: values.quick ? chosen.map(quick) : factor ? chosen.map((bench) => onlyOurs(bench, factor)) : chosen,
    runs: Number(values.runs ?? (values.quick ? 1 : RUNS)),
  };
}

/**
 * Measures the installed contenders of a case alternately. A contender that failed is not run again.
 * @param folder for the case; it is not removed, see `Tools`
 */
async function measure(
  bench: Case,
  contenders: readonly Contender[],
  runs: number,
  folder: string,
): Promise<Omit<CaseResult, 'taken'>> {
  mkdirSync(folder);
  const stub = await startStub(bench.delayMs, bench.tls && join(folder, 'certificate.pem'));
  try {
    if (bench.from === 'disk') await fill(join(folder, SOURCE), bench.source, stub);
    const all = contenders.map((contender, index) => {
      const own = join(folder, String(index));
      mkdirSync(own);
      const { label, tool, args } = contender;
      const result: ContenderResult = { label, tool, command: [tool, ...args].join(' '), runs: [] };
      return { contender, tools: new Tools(own, stub), result };
    });
    const attempt = async (result: ContenderResult, work: () => Promise<void>): Promise<void> => {
      if (result.failed !== undefined) return;
      await work().catch((error: unknown) => {
        result.failed = reasonOf(error);
        process.stderr.write(`${bench.name} ${result.label}: ${result.failed}\n`);
      });
    };
    for (const { contender, tools, result } of all) await attempt(result, () => tools.prepare(bench, contender));
    for (let round = 1; round <= runs; round++) {
      for (const { contender, tools, result } of all) {
        if (round > (contender.runs ?? runs)) continue;
        await attempt(result, async () => {
          const run = await tools.run(bench, contender);
          result.runs.push(run);
          const told = `${run.cpuS.toFixed(2)} CPU s, ${run.wallS.toFixed(2)} s, ${run.peakRssMiB.toFixed(0)} MiB`;
          process.stderr.write(`${bench.name} ${round}/${runs} ${result.label}: ${told}\n`);
        });
      }
    }
    const { name, per, source } = bench;
    return { name, title: titleOf(bench), per, ...source, contenders: all.map(({ result }) => result) };
  } finally {
    await stub.stop();
  }
}

/** So many times the objects, and xsync alone: other tools keep every key in memory. */
function onlyOurs(bench: Case, times: number): Case {
  const contenders = bench.contenders.filter(({ tool }) => tool === 'xsync');
  return { ...scaled(bench, times), contenders };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
}

/** Contains nothing that identifies the machine, such as a host name or paths. */
function machine(loadBefore: number): Taken['machine'] {
  const round = (load: number) => Math.round(load * 10) / 10;
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    kernel: `${type()} ${release().split('-', 1)[0]}`,
    node: process.versions.node,
    loadBefore: round(loadBefore),
    loadAfter: round(loadavg()[0] ?? Number.NaN),
  };
}

async function measureAll(options: Options): Promise<void> {
  if (options.peers !== undefined) process.env.PATH = [resolve(options.peers), process.env.PATH].join(delimiter);
  const tools = findTools();
  const loadBefore = loadavg()[0] ?? Number.NaN;
  const changed = git('status', '--porcelain', '--', 'src', 'bin') !== '';
  const commit = git('rev-parse', '--short', 'HEAD') + (changed ? '+' : '');
  const date = new Date().toISOString();
  let done: Results = { cases: [] };
  let failed = false;
  const folder = mkdtempSync(join(tmpdir(), 'xsync-bench-'));
  for (const bench of options.cases) {
    const here = bench.contenders.filter((contender) => canRun(contender, tools));
    const result = await measure(bench, here, options.runs, join(folder, bench.name)).catch((error: unknown) => {
      process.stderr.write(`${bench.name}: ${reasonOf(error)}\n`);
      failed = true;
    });
    if (!result) continue;
    failed ||= result.contenders.some((one) => one.failed !== undefined);
    const taken = { options: options.told, date, commit, machine: machine(loadBefore), tools };
    done = { cases: [...done.cases.map((one) => ({ ...one, taken })), { ...result, taken }] };
    keep(done, options.publish);
  }
  rmSync(folder, { recursive: true, force: true });
  // Goals do not apply to a tenth of the work, or to two builds.
  const goals = options.quick || options.times !== undefined || options.compare !== undefined ? [] : CASES;
  process.stdout.write(`${markdown(goals, done)}\n`);
  if (options.compare === undefined) process.stdout.write(`\n${standing(CASES, done)}\n`);
  if (options.publish) publish();
  if (failed || verdicts(goals, done.cases).some(({ reached }) => !reached)) process.exitCode = 1;
}

/** After each case, so that nothing that happens later loses it. */
function keep(done: Results, published: boolean): void {
  const file = join(RESULTS, published ? 'published.json' : 'latest.json.tmp');
  mkdirSync(RESULTS, { recursive: true });
  const older = published && existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results) : { cases: [] };
  const results = merged(
    older,
    done,
    CASES.map(({ name }) => name),
  );
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
}

async function compare(options: Options, commit: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'xsync-build-'));
  const other = build(ROOT, commit, join(folder, 'xsync'));
  try {
    await measureAll({ ...options, cases: options.cases.map((bench) => compared(bench, other)) });
  } finally {
    other.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(args: string[]): Promise<void> {
  if (args.includes('--wan')) {
    const rest = args.filter((arg) => arg !== '--wan');
    const script = join(import.meta.dirname, 'wan.ts');
    const { status } = spawnSync(process.execPath, [...process.execArgv, script, ...rest], { stdio: 'inherit' });
    process.exitCode = status ?? 1;
    return;
  }
  const options = optionsOf(args);
  if (options.render) publish();
  else if (options.compare !== undefined) await compare(options, options.compare);
  else await measureAll(options);
}

await main(process.argv.slice(2));
