/** Compares the results with the contenders' goals. */
import type { Case } from './cases.js';
import type { Goal } from './contenders.js';
import { type CaseResult, type ContenderResult, median, significant } from './figures.js';

export interface Verdict {
  case: string;
  label: string;
  /** Such as `at most 8 s`. */
  wanted: string;
  measured: string;
  reached: boolean;
}

/** Medians and goals; nothing for contenders that were not measured. */
export function verdicts(cases: readonly Case[], results: readonly CaseResult[]): Verdict[] {
  return results.flatMap((result) => {
    const contenders = cases.find(({ name }) => name === result.name)?.contenders ?? [];
    return result.contenders.flatMap((measured) => {
      const goal = contenders.find(({ label }) => label === measured.label)?.goal;
      return goal && measured.runs.length > 0 ? verdictsOf(goal, measured, result) : [];
    });
  });
}

function verdictsOf(goal: Goal, { label, runs }: ContenderResult, result: CaseResult): Verdict[] {
  const all: Verdict[] = [];
  const add = (wanted: string, measured: string, reached: boolean): void => {
    all.push({ case: result.name, label, wanted, measured, reached });
  };
  const wallS = median(runs.map((run) => run.wallS));
  const peakMB = median(runs.map((run) => (run.peakRssMiB * 1024 ** 2) / 1e6));
  if (goal.wallS !== undefined) add(`at most ${goal.wallS} s`, `${significant(wallS)} s`, wallS <= goal.wallS);
  if (goal.peakMB !== undefined) add(`at most ${goal.peakMB} MB`, `${significant(peakMB)} MB`, peakMB <= goal.peakMB);
  if (goal.onlyItsPages) {
    const pages = Math.ceil(result.objects / 1000);
    const { list, head, get, put, part, createUpload, completeUpload, other } = runs[0]?.requests ?? NO_REQUESTS;
    const others = head + get + put + part + createUpload + completeUpload + other;
    add(
      `${pages.toLocaleString('en-US')} LIST, no other request`,
      `${list} LIST, ${others} others`,
      list === pages && others === 0,
    );
  }
  const first = result.contenders[0];
  if (goal.timesTheFirst !== undefined && first && first.runs.length > 0) {
    const times = wallS / median(first.runs.map((run) => run.wallS));
    add(
      `at least ${goal.timesTheFirst} × the time of ${first.label}`,
      `${significant(times)} ×`,
      times >= goal.timesTheFirst,
    );
  }
  return all;
}

const NO_REQUESTS = { list: 0, head: 0, get: 0, put: 0, part: 0, createUpload: 0, completeUpload: 0, other: 0 };
