/** Compares the results with the goals of cases and contenders. */
import type { Case, PeerGoal } from './cases.js';
import type { Goal } from './contenders.js';
import { besideBest, type CaseResult, type ContenderResult, median, significant } from './figures.js';
import type { Counters } from './stub.js';

export interface Verdict {
  case: string;
  label: string;
  /** Such as `at most 8 s`. */
  wanted: string;
  measured: string;
  reached: boolean;
}

type Said = Pick<Verdict, 'wanted' | 'measured' | 'reached'>;

/** Medians and goals; nothing for contenders that were not measured. */
export function verdicts(cases: readonly Case[], results: readonly CaseResult[]): Verdict[] {
  return results.flatMap((result) => {
    const bench = cases.find(({ name }) => name === result.name);
    if (!bench) return [];
    const told = (label: string, said: Said[]): Verdict[] => said.map((one) => ({ case: result.name, label, ...one }));
    return [
      ...told(result.contenders[0]?.label ?? '', bench.goal ? beside(bench.goal, result) : []),
      ...result.contenders.flatMap((measured) => {
        const goal = bench.contenders.find(({ label }) => label === measured.label)?.goal;
        return goal && measured.runs.length > 0 ? told(measured.label, alone(goal, measured, result)) : [];
      }),
    ];
  });
}

function beside({ cpu, time, peers }: PeerGoal, result: CaseResult): Said[] {
  const best = besideBest(result, peers);
  if (!best) return [];
  const said = (kind: 'CPU' | 'time', most: number, { ratio, label }: { ratio: number; label: string }): Said => ({
    wanted: `at most ${most} × the ${kind} of the best${peers ? ` ${peers.join(' or ')}` : ' peer'}`,
    measured: `${significant(ratio)} × ${label}`,
    reached: ratio <= most,
  });
  return [...(cpu === undefined ? [] : [said('CPU', cpu, best.cpu)]), said('time', time, best.time)];
}

function alone(goal: Goal, { runs }: ContenderResult, result: CaseResult): Said[] {
  const wallS = secondsOf({ runs });
  const peakMB = median(runs.map((run) => (run.peakRssMiB * 1024 ** 2) / 1e6));
  const { noSlowerThan, timesTheFirst } = goal;
  const said: (Said | undefined)[] = [
    goal.wallS === undefined ? undefined : atMost(goal.wallS, wallS, 's'),
    goal.peakMB === undefined ? undefined : atMost(goal.peakMB, peakMB, 'MB'),
    goal.onlyItsPages && onlyItsPages(result.objects, runs[0]?.requests),
    noSlowerThan && together(noSlowerThan, wallS, result),
    timesTheFirst === undefined ? undefined : atLeast(timesTheFirst, wallS, result),
  ];
  return said.filter((one) => one !== undefined);
}

function atMost(limit: number, value: number, unit: string): Said {
  return { wanted: `at most ${limit} ${unit}`, measured: `${significant(value)} ${unit}`, reached: value <= limit };
}

/** Nothing if one of the others was not measured. */
function together(goal: NonNullable<Goal['noSlowerThan']>, wallS: number, result: CaseResult): Said | undefined {
  const others = goal.together.map((name) => secondsOf(result.contenders.find(({ label }) => label === name)));
  const limit = others.reduce((sum, seconds) => sum + seconds, goal.plusS);
  if (Number.isNaN(limit)) return undefined;
  const parts = [...goal.together.map((name) => `\`${name}\``), ...(goal.plusS > 0 ? [`${goal.plusS * 1000} ms`] : [])];
  return { ...atMost(limit, wallS, 's'), wanted: `at most ${parts.join(' + ')}: ${significant(limit)} s` };
}

function atLeast(times: number, wallS: number, { contenders: [first] }: CaseResult): Said | undefined {
  const measured = wallS / secondsOf(first);
  if (Number.isNaN(measured)) return undefined;
  return {
    wanted: `at least ${times} × the time of ${first?.label}`,
    measured: `${significant(measured)} ×`,
    reached: measured >= times,
  };
}

/** The median; NaN without runs. */
function secondsOf(contender: Pick<ContenderResult, 'runs'> | undefined): number {
  return median((contender?.runs ?? []).map((run) => run.wallS));
}

function onlyItsPages(objects: number, requests: Counters | undefined): Said | undefined {
  if (!requests) return undefined;
  const { list, head, get, put, part, createUpload, completeUpload, other } = requests;
  const pages = Math.ceil(objects / 1000);
  const others = head + get + put + part + createUpload + completeUpload + other;
  return {
    wanted: `${pages.toLocaleString('en-US')} LIST, no other request`,
    measured: `${list.toLocaleString('en-US')} LIST, ${others} others`,
    reached: list === pages && others === 0,
  };
}
