/** A rule: jobs of one source, with the time and the order in which they run. Plain data. Tests: test/rules/rule.test.ts */
import {
  type CopyJob,
  type MirrorJob,
  type MoveJob,
  parseJob,
  type SyncJob,
  type WatchJob,
} from '../engine/job/job.js';
import { optionsOf, type RuleMode, SCHEDULES } from './keys.js';

export interface Rule {
  name: string;
  /** `file:line:column`, for messages. */
  place: string;
  /** What the file says, for finding out whether it has changed. */
  text: string;
  enabled: boolean;
  mode: RuleMode;
  source: string;
  /** At least one. An object counts as replicated when all of them have it. */
  destinations: readonly string[];
  /** Higher ones go first. */
  priority: number;
  /** False: only objects that changed after the rule was first run. */
  historical: boolean;
  prefixes?: readonly string[];
  cron?: { expression: string; timezone?: string };
  rpoMs?: number;
  /** Options of the job and of the schedule, parsed, under their names in a program. */
  options: Readonly<Record<string, unknown>>;
}

export type RuleJob = CopyJob | MoveJob | SyncJob | MirrorJob;

/** What one destination of a rule is: a pair with a manifest of its own. */
export interface RulePair {
  rule: Rule;
  /** Position among the destinations. */
  index: number;
  job: RuleJob;
  /** When passes begin while it is served. */
  schedule: Pick<
    WatchJob,
    'interval' | 'minInterval' | 'maxInterval' | 'fullInterval' | 'checkDestination' | 'settle' | 'events'
  >;
}

/**
 * One pair for each destination.
 * @param sinceMs when the rule was first run, for rules without history
 * @throws usage that names an option which the mode does not have, or options that exclude each other
 */
export function pairsOf(rule: Rule, sinceMs?: number): RulePair[] {
  const schedule = parseJob('watch', { ...namesOf(rule), ...only(rule.options, Object.keys(SCHEDULES)) });
  return rule.destinations.map((destination, index) => ({
    ...{ rule, index, schedule },
    job: jobOf(rule, destination, sinceMs),
  }));
}

function jobOf(rule: Rule, destination: string, sinceMs: number | undefined): RuleJob {
  const { mode, source, options } = rule;
  const own = Object.keys(options).filter((name) => name in optionsOf(mode) || !(name in SCHEDULES));
  const given = { ...only(options, own), ...selection(rule, sinceMs), source, destination };
  switch (mode) {
    case 'copy':
      return parseJob('copy', given);
    case 'move':
      return parseJob('move', given);
    case 'sync':
      return parseJob('sync', given);
    case 'mirror':
      return parseJob('mirror', given);
  }
}

function namesOf({ source, destinations: [destination] }: Rule) {
  return { source, destination };
}

/** The filter options that prefixes, and the time of the first run, are. */
function selection({ prefixes, historical, options }: Rule, sinceMs: number | undefined): Record<string, unknown> {
  const filter = prefixes && [...prefixes.map((prefix) => `+ /${escaped(prefix)}**`), '- **'];
  const { maxAge } = options;
  const since = historical ? undefined : Math.max(sinceMs ?? Date.now(), typeof maxAge === 'number' ? maxAge : 0);
  return { ...(filter && { filter }), ...(since !== undefined && { maxAge: since }) };
}

/** The prefix as a pattern that means these characters. */
function escaped(prefix: string): string {
  return prefix.replace(/[\\*?[\]{}]/g, (mark) => `\\${mark}`);
}

function only(options: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => name in options).map((name) => [name, options[name]]));
}

/** The rule's name, with the number of the destination if it has several. */
export function labelOf({ rule, index }: Pick<RulePair, 'rule' | 'index'>): string {
  return rule.destinations.length === 1 ? rule.name : `${rule.name}[${index + 1}]`;
}

/** In the order in which rules run: by priority, and of equal ones as in the file. */
export function inOrder<T extends Pick<Rule, 'priority'>>(rules: readonly T[]): T[] {
  return [...rules].sort((a, b) => b.priority - a.priority);
}
