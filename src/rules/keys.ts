/** What a rule can say: its own keys, and every option of the jobs that it stands for. Tests: test/rules/read.test.ts */
import type { OptionSpec, OptionTable } from '../engine/job/option.js';
import { CONFLICT, MODES, WATCH } from '../engine/job/options.js';

/** What a rule does with its pairs, as the commands of the same names do it once. */
export const RULE_MODES = ['copy', 'sync', 'mirror', 'move'] as const;

export type RuleMode = (typeof RULE_MODES)[number];

/** Of a watch, said by the mode of a rule. */
const { delete: DELETE, mirror: MIRROR, ...SCHEDULE } = WATCH;

/** When the passes of a rule begin, while it is served. */
export const SCHEDULES: OptionTable = SCHEDULE;

/** The job options of a rule in any mode, under their names in a program. */
export const OPTIONS: OptionTable = {
  ...MODES.copy,
  ...MODES.move,
  ...MODES.sync,
  ...MODES.mirror,
  ...SCHEDULE,
  delete: DELETE,
  mirror: MIRROR,
};

/** The options of a rule in this mode. */
export function optionsOf(mode: RuleMode): OptionTable {
  return { ...(mode === 'mirror' ? CONFLICT : {}), ...MODES[mode] };
}

/** The keys that only rules have. */
export const OWN_KEYS = {
  source: 'the place to read: remote:bucket/prefix, s3://bucket/prefix or a folder',
  destination: 'the place to write, or a list of them, which all get every object',
  mode: `${RULE_MODES.join(', ')}: what the command of that name does (default: copy)`,
  enabled: 'false: the rule is checked and listed, but not run',
  priority: 'a whole number; rules with a higher one go first (default: 0)',
  prefixes: 'only keys that begin with one of these',
  historical: 'false: only objects that changed after the rule was first run (default: true)',
  schedule: 'a cron expression for the passes, instead of interval: "*/5 * * * *"',
  timezone: 'of the cron expression, such as Asia/Shanghai (default: that of the machine)',
  rpo: 'how far the destination may be behind: status and /healthz report more',
} as const;

export type OwnKey = keyof typeof OWN_KEYS;

export function isOwnKey(key: string): key is OwnKey {
  return Object.hasOwn(OWN_KEYS, key);
}

/** Words that people look for, and what says the same here. */
export const ELSEWHERE: Readonly<Record<string, string>> = {
  name: 'the name is the key in front of the rule',
  destinations: 'give a list to destination',
  deletes: 'write "mode: sync"',
  deleteMarkers: 'write "versions: true" to copy every version and delete marker',
  prefix: 'write "prefixes: [PREFIX]", or put it behind the bucket in source and destination',
  tag: 'write "includeTag: [KEY=VALUE]" or excludeTag to choose objects by their tags, and "tags: true" to copy tags',
  cron: 'write "schedule"',
  existing: 'write "historical"',
  limits: 'write the limits as keys of the rule: bwlimit, tpslimit, maxTransfer, transfers, …',
  attributes: 'write "listed" or "compare"; tags, acl, lock and metadata are keys of their own',
};

/** What stands in a rule for the kind: whether a value is of the kind at all, and what it must be. */
export const SHAPES: Readonly<Record<OptionSpec['kind'], string>> = {
  switch: 'true or false',
  negated: 'true or false',
  list: 'a list of texts',
  choice: 'one of its words',
  'one-of': 'one of its words',
  size: 'a size with its unit, such as 16M',
  duration: 'a duration with its unit, such as 30s or 5m',
  interval: 'a duration with its unit, such as 30s or 5m',
  instant: 'a duration such as 30d, or a time such as 2026-01-31',
  count: 'a whole number',
  'count-or-auto': 'a whole number, or auto',
  rate: 'a number per second',
  bandwidth: 'bytes per second, such as 10M',
  'count-or-percent': 'a number of objects, or a percentage such as 25%',
  text: 'text',
};
