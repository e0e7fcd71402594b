/** Reads the rules of a config file, or of a file of their own. Every error names its rule, its line and what to do. */
import { readFile } from 'node:fs/promises';
import { ConfigDocument } from '../config/document.js';
import { configPath, readDocument } from '../config/load.js';
import { didYouMean } from '../config/nearest.js';
import { reasonOf } from '../model/errno.js';
import { XsyncError } from '../model/error.js';
import { checkCron } from './cron.js';
import { ELSEWHERE, isOwnKey, OPTIONS, OWN_KEYS, RULE_MODES, type RuleMode } from './keys.js';
import { pairsOf, type Rule } from './rule.js';
import { isRecord, ofRule, optionValue, own, Wrong } from './values.js';

/** As a rule's name stands in messages and metrics. */
const NAME = /^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/;

/** What combines with `prefixes`, which come last, would select keys outside them. */
const UNFIT_WITH_PREFIXES = ['include', 'includeFrom', 'filter', 'filterFrom', 'filesFrom', 'filesFromRaw'];

export interface RulesLocation {
  /** `--rules`; absent: the config file. */
  rules?: string;
  /** `--config`. */
  config?: string;
  env: NodeJS.ProcessEnv;
}

/**
 * The rules, in the order of the file.
 * @throws config: the message has a line for each error, which starts with its position
 */
export async function readRules({ rules: file, config, env }: RulesLocation): Promise<Rule[]> {
  const path = file ?? configPath({ file: config, env });
  const document = file === undefined ? await readDocument(path, config !== undefined) : await ownDocument(file);
  return document === undefined ? [] : rulesIn(document, env);
}

async function ownDocument(file: string): Promise<ConfigDocument> {
  try {
    return new ConfigDocument(await readFile(file, 'utf8'), file);
  } catch (error) {
    if (error instanceof XsyncError) throw error;
    throw new XsyncError('config', `${file}: cannot read the rules: ${reasonOf(error)}`, {
      subject: file,
      remedy: 'Check --rules.',
      cause: error,
    });
  }
}

/** The rules of a document. @throws config, as `readRules` */
export async function rulesIn(document: ConfigDocument, env: NodeJS.ProcessEnv): Promise<Rule[]> {
  const { data, unsetRules } = document.filled(env);
  document.remotes(data);
  const section = document.section(data, 'rules');
  const problems: string[] = [...unsetRules.values()].flat();
  const rules: Rule[] = [];
  if (section !== undefined && !isRecord(section)) {
    problems.push(`${document.place(['rules'], 'value')}: "rules" must map names to rules`);
  }
  for (const [name, value] of isRecord(section) ? Object.entries(section) : []) {
    if (unsetRules.has(name)) continue;
    const entry = { document, name };
    const wrong: Wrong[] = [];
    const rule = await ruleOf(entry, value, wrong);
    if (rule !== undefined) rules.push(rule);
    for (const { key, part, message } of wrong) {
      const place = document.place(key === undefined ? ['rules', name] : ['rules', name, key], part);
      problems.push(`${place}: rule "${name}": ${message}`);
    }
  }
  if (problems.length > 0) throw new XsyncError('config', problems.join('\n'), { subject: document.file });
  return rules;
}

interface Entry {
  document: ConfigDocument;
  name: string;
}

/** The rule, unless something is `wrong`. */
async function ruleOf({ document, name }: Entry, value: unknown, wrong: Wrong[]): Promise<Rule | undefined> {
  if (!NAME.test(name)) wrong.push(new Wrong(undefined, 'key', 'its name has other characters than A-Z a-z 0-9 _ . -'));
  if (!isRecord(value)) {
    wrong.push(new Wrong(undefined, 'key', 'has no settings; it needs at least source and destination'));
    return undefined;
  }
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      wrong.push(ofRule(error));
      return undefined;
    }
  };
  for (const key of Object.keys(value)) attempt(() => refuseUnknown(key));
  const options = optionsIn(value, attempt);
  const mode = attempt(() => modeOf(value, options));
  const source = attempt(() => own.text(value, 'source'));
  const destinations = attempt(() => destinationsOf(value));
  const rule: Partial<Rule> = {
    ...{ name, mode, source, destinations, options, text: JSON.stringify(value) },
    place: document.place(['rules', name], 'key'),
    enabled: attempt(() => own.flag(value, 'enabled')) ?? true,
    priority: attempt(() => own.integer(value, 'priority')) ?? 0,
    historical: attempt(() => own.flag(value, 'historical')) ?? true,
    prefixes: attempt(() => own.list(value, 'prefixes')),
    rpoMs: attempt(() => own.duration(value, 'rpo')),
    cron: attempt(() => cronOf(value)),
  };
  attempt(() => refuseContrary(rule));
  if (wrong.length === 0 && rule.cron) await checkCron(rule.cron).catch((error) => wrong.push(ofRule(error)));
  if (wrong.length > 0 || !isWhole(rule)) return undefined;
  attempt(() => pairsOf(rule));
  return wrong.length > 0 ? undefined : rule;
}

function isWhole(rule: Partial<Rule>): rule is Rule {
  return rule.mode !== undefined && rule.source !== undefined && rule.destinations !== undefined;
}

/** @throws Wrong */
function refuseUnknown(key: string): void {
  if (isOwnKey(key) || Object.hasOwn(OPTIONS, key)) return;
  const known = [...Object.keys(OWN_KEYS), ...Object.keys(OPTIONS)];
  const advice = Object.hasOwn(ELSEWHERE, key) ? `; ${ELSEWHERE[key]}` : didYouMean(key, known);
  throw new Wrong(key, 'key', `unknown key "${key}"${advice || '; docs/rules.md lists the keys'}`);
}

type Attempt = <T>(work: () => T) => T | undefined;

function optionsIn(value: Readonly<Record<string, unknown>>, attempt: Attempt): Record<string, unknown> {
  const given = Object.entries(value).flatMap(([key, text]) => {
    const option = Object.hasOwn(OPTIONS, key) ? OPTIONS[key] : undefined;
    const parsed = option && attempt(() => optionValue(key, text, option));
    return parsed === undefined ? [] : [[key, parsed] as const];
  });
  return Object.fromEntries(given);
}

/** The mode, as such or by the two flags of a watch, which are taken out of the options. @throws Wrong */
function modeOf(value: Readonly<Record<string, unknown>>, options: Record<string, unknown>): RuleMode {
  const given = own.choice(value, 'mode', RULE_MODES);
  const { delete: deletes, mirror } = options;
  delete options.delete;
  delete options.mirror;
  const byFlag = mirror === true ? 'mirror' : deletes === true ? 'sync' : undefined;
  if (given !== undefined && byFlag !== undefined && given !== byFlag) {
    const flag = byFlag === 'mirror' ? 'mirror' : 'delete';
    throw new Wrong(flag, 'key', `"${flag}: true" contradicts "mode: ${given}"; leave one of them out`);
  }
  return given ?? byFlag ?? 'copy';
}

/** @throws Wrong */
function destinationsOf(value: Readonly<Record<string, unknown>>): readonly string[] {
  const list = Array.isArray(value.destination) ? own.list(value, 'destination') : [own.text(value, 'destination')];
  const [first] = list ?? [];
  if (list === undefined || first === undefined) throw new Wrong('destination', 'key', 'destination is empty');
  const twice = list.find((text, index) => list.indexOf(text) !== index);
  if (twice !== undefined) throw new Wrong('destination', 'key', `destination names ${twice} twice`);
  return list;
}

/** @throws Wrong */
function cronOf(value: Readonly<Record<string, unknown>>): Rule['cron'] {
  const expression = value.schedule === undefined ? undefined : own.text(value, 'schedule');
  const timezone = value.timezone === undefined ? undefined : own.text(value, 'timezone');
  if (expression === undefined) {
    if (timezone === undefined) return undefined;
    throw new Wrong('timezone', 'key', 'timezone means nothing without schedule; leave it out');
  }
  const other = ['interval', 'minInterval', 'maxInterval'].find((key) => key in value);
  if (other !== undefined)
    throw new Wrong(other, 'key', `${other} and schedule exclude each other; leave one of them out`);
  return { expression, ...(timezone !== undefined && { timezone }) };
}

/** @throws Wrong */
function refuseContrary({ prefixes, options = {}, destinations = [], historical, mode }: Partial<Rule>): void {
  const unfit = prefixes && UNFIT_WITH_PREFIXES.find((key) => key in options);
  if (unfit) {
    throw new Wrong(
      unfit,
      'key',
      `${unfit} and prefixes exclude each other; write both as filter rules: "+ /a/**", "- **"`,
    );
  }
  if ('manifest' in options && destinations.length > 1) {
    throw new Wrong(
      'manifest',
      'key',
      'each destination has a manifest of its own; leave it out, or write a rule for each',
    );
  }
  if (historical === false && options.versions === true) {
    const message = 'a history is copied whole; leave out "historical: false", or versions';
    throw new Wrong('historical', 'key', message);
  }
  if (mode === 'move' && destinations.length > 1) {
    const message =
      'the first destination would take the objects away from the others; use mode copy, or one destination';
    throw new Wrong('destination', 'key', message);
  }
}
