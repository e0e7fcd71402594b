/** Writes bench/results to docs/: the tables of docs/benchmarks.md, and its chart. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CASES } from './cases.js';
import { chart } from './chart.js';
import type { Results } from './figures.js';
import { markdown, standing } from './report.js';
import { type WanResults, wanMarkdown } from './wan/report.js';

const ROOT = join(import.meta.dirname, '..');
const PAGE = join(ROOT, 'docs', 'benchmarks.md');
const CHART = join(ROOT, 'docs', 'benchmarks.svg');

/** Writes the published results of both suites. */
export function publish(): void {
  const results = read('published.json') as Results | undefined;
  const wan = read('wan.json') as WanResults | undefined;
  let page = readFileSync(PAGE, 'utf8');
  if (results) {
    page = withFigures(page, 'standing', standing(CASES, results));
    page = withFigures(page, 'figures', markdown(CASES, results));
    writeFileSync(CHART, chart(results.cases));
  }
  if (wan) page = withFigures(page, 'lines', wanMarkdown(wan));
  writeFileSync(PAGE, page);
}

function read(file: string): unknown {
  const path = join(ROOT, 'bench', 'results', file);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/** Replaces the figures in the page. @throws Error: when the page lacks their begin and end marks */
function withFigures(page: string, name: string, figures: string): string {
  const [begin, end] = [`<!-- ${name}: begin (written by the bench) -->`, `<!-- ${name}: end -->`];
  const [from, until] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || until < from) throw new Error(`docs/benchmarks.md has no place for the ${name}: ${begin} … ${end}`);
  return `${page.slice(0, from + begin.length)}\n\n${figures}\n\n${page.slice(until)}`;
}
