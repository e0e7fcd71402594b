/** From rules to pairs that can run: places, jobs, and what the rules do to each other. Tests: test/open/rules.test.ts */
import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, loadConfig } from '../config/load.js';
import { ABSENT, isErrno } from '../model/errno.js';
import { toXsyncError, XsyncError } from '../model/error.js';
import { makePrivateFolder } from '../native/folder.js';
import { type Arc, type Finding, findingsOf, type Space } from '../rules/graph.js';
import { type RulesLocation, readRules } from '../rules/read.js';
import { inOrder, pairsOf, type Rule, type RulePair } from '../rules/rule.js';
import { lookingSettings } from './known.js';
import type { ReadSource } from './network.js';
import { jobOptions } from './run-job.js';
import { Opener } from './sides.js';
import { stateDirectory } from './state.js';

export interface PreparedRules {
  /** All of them, in the order in which they run. */
  rules: readonly Rule[];
  /** Of the rules that are enabled, in that order. */
  pairs: readonly PreparedPair[];
  /** Of the enabled rules, without the loops and twins, which are errors. */
  findings: readonly Finding[];
}

export type PreparedPair = RulePair & {
  /** Changes with everything that the pair is made of, credentials included. */
  fingerprint: string;
  /** What other pairs may read, too; absent if the pair reads for itself alone. */
  reads?: ReadSource;
};

export interface PrepareOptions extends RulesLocation {
  /** Only these rules; absent or empty: all of them. */
  names?: readonly string[];
  /** The rules are about to run: their first time is noted. */
  runs: boolean;
  /** Of the rules that name no queue. A mirror is done by this process. */
  queue?: string;
}

/**
 * Reads and checks rules. Makes no requests.
 * @throws config: the message has a line for each error, with its position; usage: there is no rule of that name
 */
export async function prepareRules(options: PrepareOptions): Promise<PreparedRules> {
  const { env } = options;
  const all = inOrder(await readRules(options)).map((rule) => withDefaults(rule, options));
  const rules = chosen(all, options.names ?? []);
  const places = new Places(env);
  const problems: string[] = [];
  const checked: { pair: PreparedPair; arcs: Arc[]; chosen: boolean }[] = [];
  for (const rule of all.filter(({ enabled }) => enabled)) {
    const since = rules.includes(rule) && options.runs ? sinceOf(rule, env) : knownSince(rule, env);
    for (const pair of pairsOf(rule, since)) {
      try {
        const { arcs, fingerprint, reads } = await places.arcsOf(pair);
        await jobOptions(pair.job, { stop: NEVER, env, warn: () => {} });
        checked.push({ pair: { ...pair, fingerprint, reads }, arcs, chosen: rules.includes(rule) });
      } catch (error) {
        problems.push(...complaints(rule, error));
      }
    }
  }
  const findings = findingsOf(checked.flatMap(({ arcs }) => arcs));
  const byName = new Map(all.map((rule) => [rule.name, rule]));
  problems.push(...findings.flatMap((finding) => errorOf(finding, byName)));
  if (problems.length > 0) throw new XsyncError('config', problems.join('\n'), { subject: options.rules ?? 'rules' });
  const pairs = checked.flatMap((each) => (each.chosen ? [each.pair] : []));
  return { rules, pairs, findings };
}

const NEVER = new AbortController().signal;

/** @throws usage */
function chosen(rules: readonly Rule[], names: readonly string[]): readonly Rule[] {
  const stranger = names.find((name) => !rules.some((rule) => rule.name === name));
  if (stranger !== undefined) {
    const known = rules.map(({ name }) => name).join(', ');
    throw new XsyncError(
      'usage',
      `there is no rule "${stranger}"; ${known === '' ? 'there are none' : `the rules are ${known}`}`,
      {
        subject: stranger,
        remedy: 'Check the name, and --rules or --config.',
      },
    );
  }
  return names.length === 0 ? rules : rules.filter(({ name }) => names.includes(name));
}

function withDefaults(rule: Rule, { config, queue }: PrepareOptions): Rule {
  const defaults = {
    ...(config !== undefined && { config }),
    ...(queue !== undefined && rule.mode !== 'mirror' && { queue }),
  };
  return { ...rule, options: { ...defaults, ...rule.options } };
}

function complaints({ name, place }: Rule, error: unknown): string[] {
  const { message, remedy } = toXsyncError(error);
  return [`${place}: rule "${name}": ${message}${remedy === undefined ? '' : `; ${remedy}`}`];
}

/** What may not run. */
function errorOf(finding: Finding, rules: ReadonlyMap<string, Rule>): string[] {
  const { type, arcs } = finding;
  if (type !== 'loop' && type !== 'twins') return [];
  const [first, second] = arcs;
  if (!first) return [];
  const place = rules.get(first.rule)?.place ?? '';
  if (type === 'twins') {
    const message = `is the same pair as rule "${second?.rule}", ${first.text.from} → ${first.text.to}, and a pair has one manifest`;
    return [
      `${place}: rule "${first.rule}": ${message}; join them in one rule with prefixes, or give them different prefixes behind the bucket`,
    ];
  }
  const way = [...arcs, first].map(({ text }) => text.from).join(' → ');
  const names = [...new Set(arcs.map(({ rule }) => `"${rule}"`))];
  const isTwo = arcs.length === 2;
  const message = `copies in a circle${names.length > 1 ? ` with ${names.slice(1).join(', ')}` : ''}: ${way}`;
  const remedy = isTwo
    ? 'write one rule with "mode: mirror" for both directions, or select different prefixes'
    : 'remove one of them, or select different prefixes';
  return [`${place}: rule "${first.rule}": ${message}; ${remedy}`];
}

interface Place {
  space: Space;
  settings: string;
  /** Equal for equal buckets, read with the same credentials; absent on disk. */
  bucket?: string;
}

/** What must be equal for two jobs to read a source in the same way. */
const READING = [
  ...['transport', 'lowLevelRetries', 'timeout', 'contimeout', 'tpslimit', 'tpslimitBurst', 'bwlimit', 'congestion'],
  ...['caCert', 'clientCert', 'clientKey', 'checkCertificate', 'config'],
];

/** A mirror compares both of its sides, and what is not the bucket as it is now is listed in another way. */
function readsOf(job: RulePair['job'], { bucket, space }: Place): ReadSource | undefined {
  if (bucket === undefined || job.mode === 'mirror') return undefined;
  if (job.mode !== 'move' && (job.at !== undefined || job.sourceInventory !== undefined)) return undefined;
  const how: Readonly<Record<string, unknown>> = { ...job };
  return { id: JSON.stringify([bucket, READING.map((name) => how[name] ?? null)]), prefix: space.path };
}

/** Names of services whose buckets have one name at all endpoints. */
const SERVICES: readonly [ending: RegExp, home: string][] = [
  [/\.amazonaws\.com\.cn$/, 'aws-cn'],
  [/\.amazonaws\.com$/, 'aws'],
  [/\.aliyuncs\.com$/, 'aliyun'],
];

/** Opens places to identify them, each once. */
class Places {
  readonly #env: NodeJS.ProcessEnv;
  readonly #configs = new Map<string, Promise<Config>>();
  readonly #known = new Map<string, Promise<Place>>();

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  /** @throws usage, config */
  async arcsOf({ rule, index, job }: RulePair): Promise<Pick<PreparedPair, 'fingerprint' | 'reads'> & { arcs: Arc[] }> {
    const { config, source, destination } = job;
    const [from, to] = [await this.#place(source, config), await this.#place(destination, config)];
    const { prefixes = [''], mode, name, text } = rule;
    const pair = `${name}\n${index}\n${job.manifest ?? ''}`;
    const there: Arc = {
      ...{ rule: name, pair, prefixes, from: from.space, to: to.space },
      text: { from: source, to: destination },
    };
    const back: Arc = { ...there, from: to.space, to: from.space, text: { from: destination, to: source } };
    const fingerprint = JSON.stringify([text, job.config, from.settings, to.settings]);
    return { arcs: mode === 'mirror' ? [there, back] : [there], fingerprint, reads: readsOf(job, from) };
  }

  #place(text: string, config: string | undefined): Promise<Place> {
    const id = `${config ?? ''}\n${text}`;
    const known = this.#known.get(id) ?? this.#open(text, config);
    this.#known.set(id, known);
    return known;
  }

  async #open(text: string, config: string | undefined): Promise<Place> {
    const file = config ?? '';
    const loaded = this.#configs.get(file) ?? loadConfig({ file: config, env: this.#env });
    this.#configs.set(file, loaded);
    const settings = {
      ...lookingSettings(this.#env, { config }),
      accelerate: 'off' as const,
      congestion: 'system' as const,
    };
    const side = await new Opener(settings, await loaded).side(text, { readOnly: true });
    await side.close();
    const { identity } = side.store;
    const { kind, endpoint, origin = endpoint } = identity;
    if (side.store.capabilities.local) {
      const root = side.bucket === '/' ? '' : side.bucket;
      return { space: { home: `${kind} ${endpoint}`, path: `${root}/${side.prefix}` }, settings: side.settings };
    }
    return {
      space: { home: `${homeOf(endpoint, origin)} ${side.bucket}`, path: side.prefix },
      settings: side.settings,
      bucket: JSON.stringify([kind, endpoint, origin, side.bucket, identity.account, side.settings]),
    };
  }
}

/** Equal for the endpoints of one service, as far as names tell. */
function homeOf(endpoint: string, origin: string): string {
  for (const text of [endpoint, origin]) {
    const { hostname } = urlOf(text);
    const service = SERVICES.find(([ending]) => ending.test(hostname))?.[1];
    if (service !== undefined) return service;
  }
  const { hostname, port, protocol } = urlOf(endpoint);
  const name = /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(hostname) ? 'localhost' : hostname;
  return `${name}:${port || (protocol === 'http:' ? 80 : 443)}`;
}

function urlOf(text: string): Pick<URL, 'hostname' | 'port' | 'protocol'> {
  return URL.canParse(text) ? new URL(text) : { hostname: text, port: '', protocol: '' };
}

/** When a rule without history was first run, ms since 1970; noted now where it is not yet. */
function sinceOf(rule: Rule, env: NodeJS.ProcessEnv): number | undefined {
  if (rule.historical) return undefined;
  const sinceMs = knownSince(rule, env) ?? Date.now();
  makePrivateFolder(stateDirectory(env));
  for (const file of sinceFiles(rule, env)) {
    try {
      writeFileSync(file, `${new Date(sinceMs).toISOString()}\n`, { flag: 'wx' });
    } catch (error) {
      // It is known, or another process was faster.
      if (!isErrno(error, 'EEXIST')) throw error;
    }
  }
  return knownSince(rule, env);
}

/** The earliest time that is known. */
function knownSince(rule: Rule, env: NodeJS.ProcessEnv): number | undefined {
  if (rule.historical) return undefined;
  const known = sinceFiles(rule, env).flatMap((file) => sinceIn(file) ?? []);
  return known.length === 0 ? undefined : Math.min(...known);
}

function sinceIn(file: string): number | undefined {
  try {
    const atMs = Date.parse(readFileSync(file, 'utf8').trim());
    // A power loss may have emptied it.
    return Number.isNaN(atMs) ? Math.floor(statSync(file).mtimeMs) : atMs;
  } catch (error) {
    if (isErrno(error, ...ABSENT)) return undefined;
    throw error;
  }
}

/** By the name and by each pair, so that a rule with another name, or with other destinations, misses no object. */
function sinceFiles({ name, source, destinations }: Rule, env: NodeJS.ProcessEnv): string[] {
  const marks = [[name, source], ...destinations.map((destination) => ['', source, destination])];
  return marks.map((mark) => {
    const id = createHash('sha256').update(JSON.stringify(mark)).digest('hex').slice(0, 16);
    return join(stateDirectory(env), `rule-${id}.since`);
  });
}
