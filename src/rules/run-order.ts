/**
 * In which order rules run once: by priority, and a rule that reads what another one writes after it.
 * Tests: test/rules/run-order.test.ts
 */
import type { Finding } from './graph.js';

/**
 * For each rule, those that end before it begins. Rules that read from each other, as they may without a loop if they have
 * several prefixes, wait for those before them only.
 * @param names of the rules that run, in the order of their priority
 */
export function precedenceOf(
  names: readonly string[],
  findings: readonly Finding[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const waits = new Map(names.map((name) => [name, new Set<string>()]));
  const rank = new Map(names.map((name, index) => [name, index]));
  const edges = findings
    .flatMap(({ type, arcs: [first, second] }) =>
      type === 'chain' && first && second ? [[first.rule, second.rule]] : [],
    )
    .flatMap(([writer = '', reader = '']) => (rank.has(writer) && rank.has(reader) ? [{ writer, reader }] : []))
    .sort((a, b) => (rank.get(a.writer) ?? 0) - (rank.get(b.writer) ?? 0));
  for (const { writer, reader } of edges) if (!allBefore(writer, waits).has(reader)) waits.get(reader)?.add(writer);
  return waits;
}

/** The rule itself, and all that end before it begins. */
function allBefore(rule: string, waits: ReadonlyMap<string, ReadonlySet<string>>): ReadonlySet<string> {
  const found = new Set([rule]);
  // What is added meanwhile is visited, too.
  for (const name of found) for (const before of waits.get(name) ?? []) found.add(before);
  return found;
}

/** One pair of a rule. */
export interface Task<T> {
  rule: string;
  /** Those that read the same source begin together, and count as one. */
  group?: string;
  /** Must not reject. */
  run(): Promise<T>;
}

/**
 * Runs tasks side by side: next is always the first of the list whose rule has to wait for no other.
 * @param most tasks at once
 * @returns the results, in the order of the tasks
 */
export async function runInOrder<T>(
  tasks: readonly Task<T>[],
  precedence: ReadonlyMap<string, ReadonlySet<string>>,
  most: number,
): Promise<T[]> {
  const results: T[] = [];
  const open = new Map<string, number>();
  for (const { rule } of tasks) open.set(rule, (open.get(rule) ?? 0) + 1);
  const waiting = [...tasks.entries()];
  const isReady = ([, { rule }]: [number, Task<T>]): boolean =>
    [...(precedence.get(rule) ?? [])].every((before) => !open.get(before));
  const work = async ([index, { rule, run }]: [number, Task<T>]): Promise<void> => {
    results[index] = await run();
    open.set(rule, (open.get(rule) ?? 0) - 1);
  };
  const running = new Set<Promise<unknown>>();
  while (waiting.length + running.size > 0) {
    const next = running.size < most ? waiting.find(isReady) : undefined;
    if (!next) {
      await Promise.race(running);
      continue;
    }
    const { group } = next[1];
    const together = waiting.filter(
      (each) => each === next || (group !== undefined && each[1].group === group && isReady(each)),
    );
    for (const each of together) waiting.splice(waiting.indexOf(each), 1);
    const ended = Promise.all(together.map(work)).finally(() => running.delete(ended));
    running.add(ended);
  }
  return results;
}
