/** `serve`: the watches of all rules in one process. Tests: test/e2e/rules.test.ts */
import type { RunEvent } from '../../engine/events.js';
import type { Watch } from '../../engine/watch/watch.js';
import type { ListenAddress } from '../../inbound/address.js';
import { toXsyncError } from '../../model/error.js';
import type { Network } from '../../open/network.js';
import type { PreparedPair, PreparedRules } from '../../open/rules.js';
import { labelOf } from '../../rules/rule.js';
import { EventSources, type Hearing } from '../../serve/event-sources.js';
import type { Serving } from '../../serve/serving.js';
import type { Turns } from '../../serve/turns.js';
import { type Context, type Io, runCommand } from '../context.js';
import { EXIT } from '../exit.js';
import type { RuleNotifications } from '../observers.js';
import type { QueueFlags, ReportFlags, RulesFlags, SharedFlags } from '../options.js';
import { passReporter } from '../pass-reporter.js';
import { ChangeLines } from '../render/changes.js';
import { type Service, serve } from '../service.js';
import { warnOfFindings } from './rules-check.js';
import { refuseNone } from './ruling.js';
import type { RulesPage, WebFlags } from './serving-web.js';

export type ServeFlags = RulesFlags &
  ReportFlags &
  SharedFlags &
  QueueFlags &
  WebFlags & { parallel: number; events?: string; metricsAddr?: ListenAddress; notify?: string[] };

/** What all rules have in common. */
interface Common {
  context: Context;
  service: Service;
  network: Network;
  turns: Turns;
  events: RuleEvents;
  metrics: import('../../observe/rule-metrics.js').RuleMetrics;
  /** Absent without `--notify`. */
  notifications?: RuleNotifications;
  /** By the ID of their pair. */
  watches: Map<string, Watch>;
  page: RulesPage;
}

type ServedPair = PreparedPair & { id: string };

export function serveRules(io: Io, flags: ServeFlags): Promise<number> {
  return runCommand(io, flags, { bars: false, stamped: true, idleSilent: true }, async (context) => {
    const service = await serve(io, context.log);
    const [prepared, common] = await opened(context, service, flags).catch(async (error) => {
      await service.close();
      throw error;
    });
    const { page } = common;
    const { Serving } = await import('../../serve/serving.js');
    const serving = new Serving<ServedPair>({
      serve: (pair, drain, stop) => servePair(pair, { drain, stop }, common),
      failed: (pair, { code, message, remedy }) => {
        const trouble = { type: 'trouble' as const, code, message, remedy };
        context.log.of(pair.id).report(trouble);
        page.hear(pair.id, trouble);
      },
    });
    let listening: { close(): Promise<void>; url: string } | undefined;
    try {
      warnOfFindings(context, prepared.findings);
      listening = flags.metricsAddr && (await common.metrics.listen(flags.metricsAddr));
      if (listening && flags.metricsAddr?.port === 0) context.log.say('notice', `metrics at ${listening.url}/metrics`);
      if (flags.events !== undefined) await common.events.open(flags.events);
      page.set(served(prepared));
      await serving.apply(served(prepared));
      context.log.say('notice', `serving ${prepared.pairs.length} pairs of ${ruleCount(prepared)} rules`);
      service.serving({
        reload: () => reload(io, flags, common, serving),
        rests: () => [...common.watches.values()].every((watch) => watch.rests),
      });
      await ended(service.drain);
      await serving.end();
      context.log.say('notice', 'ended; everything in flight is finished or checkpointed');
      return service.interrupted ? EXIT.interrupted : EXIT.ok;
    } finally {
      await serving.end();
      await common.events.close();
      await common.notifications?.close(service.interrupted);
      await page.close();
      await listening?.close();
      await service.close();
    }
  });
}

/** @throws usage, config */
async function opened(context: Context, service: Service, flags: ServeFlags): Promise<[PreparedRules, Common]> {
  const prepared = await prepare(context.io, flags);
  return [prepared, await commonOf(context, service, flags)];
}

function ruleCount({ pairs }: PreparedRules): number {
  return new Set(pairs.map(({ rule }) => rule.name)).size;
}

/** @throws usage, config */
async function prepare({ env }: Io, { rules, config, queue }: ServeFlags): Promise<PreparedRules> {
  const { prepareRules } = await import('../../open/rules.js');
  const prepared = await prepareRules({ rules, config, queue, env, runs: true });
  refuseNone(prepared.pairs, prepared.rules.length);
  return prepared;
}

function served({ pairs }: PreparedRules): ServedPair[] {
  return pairs.map((pair) => ({ ...pair, id: labelOf(pair) }));
}

/** Rules that are not valid change nothing. */
async function reload(
  io: Io,
  flags: ServeFlags,
  { context: { log }, page }: Common,
  serving: Serving<ServedPair>,
): Promise<void> {
  try {
    const prepared = await prepare(io, flags);
    const { started, stopped, changed, kept } = await serving.apply(served(prepared));
    page.set(served(prepared));
    log.say(
      'notice',
      `the rules were read again: ${started} new, ${changed} changed, ${stopped} gone, ${kept} as before`,
    );
  } catch (error) {
    const { message, remedy } = toXsyncError(error);
    log.say('error', `the rules stay as they were: ${message}${remedy === undefined ? '' : ` — ${remedy}`}`);
  }
}

/** @throws config */
async function commonOf(context: Context, service: Service, flags: ServeFlags): Promise<Common> {
  const [{ Network }, { networkLimits }, { Turns }, { RuleMetrics }, { openPage }] = await Promise.all([
    import('../../open/network.js'),
    import('../network.js'),
    import('../../serve/turns.js'),
    import('../../observe/rule-metrics.js'),
    import('./serving-web.js'),
  ]);
  const watches: Common['watches'] = new Map();
  return {
    ...{ context, service },
    network: new Network(networkLimits(flags)),
    turns: new Turns(flags.parallel),
    events: new RuleEvents(context),
    metrics: new RuleMetrics(),
    notifications: flags.notify && (await (await import('../observers.js')).openRuleNotifications(flags, context)),
    page: await openPage(flags, context, (id) => watches.get(id)),
    watches,
  };
}

/** Watches one pair until it is drained. @throws a fault that keeps the watch from beginning */
async function servePair(
  pair: ServedPair,
  { drain, stop }: { drain: AbortSignal; stop: AbortSignal },
  common: Common,
): Promise<void> {
  const { context, service, network, turns, events, metrics, notifications, watches, page } = common;
  const log = context.log.of(pair.id);
  // Before anything takes time, so that pairs that begin together know of each other.
  const reader = pair.reads && network.reader(pair.reads);
  const changes = new ChangeLines(pair.schedule.interval, (line) => log.say('notice', line));
  const [{ watchOfRule }, { openMetrics }, timetable] = await Promise.all([
    import('../../open/watch-job.js'),
    import('../observers.js'),
    timetableOf(pair),
  ]);
  const { source, destination } = pair.job;
  let watch: Watch | undefined;
  let heard: Hearing | undefined;
  const observed = { source, destination, rule: pair.rule.name, pair: () => watch?.pair };
  const ownMetrics = await openMetrics({ rpo: pair.rule.rpoMs }, observed);
  metrics.set(pair.id, ownMetrics);
  const notifier = await notifications?.of({ ...observed, endless: true, rpoMs: pair.rule.rpoMs });
  const hear = (event: RunEvent): void => {
    ownMetrics.hear(event);
    notifier?.hear(event);
    page.hear(pair.id, event);
  };
  const report = passReporter(log, changes, [service, { hear }]);
  try {
    heard = pair.job.mode === 'move' ? undefined : await events.of(pair);
    watch = await watchOfRule(
      pair,
      {
        ...{ drain, network, timetable, stop: AbortSignal.any([service.stop, stop]), env: context.io.env },
        warn: (message) => log.say('notice', `warning: ${message}`),
        turn: (pass) => turns.take(pair.rule.priority, drain, pass, pair.reads?.id),
        reader,
        changes: heard?.read,
      },
      report,
    );
    watches.set(pair.id, watch);
    await watch.run();
  } finally {
    watches.delete(pair.id);
    await heard?.leave();
    reader?.leave();
    metrics.delete(pair.id);
    await notifier?.close();
    changes.close();
    log.close();
  }
}

async function timetableOf({ rule: { cron } }: ServedPair) {
  if (!cron) return undefined;
  const [{ cronOf }, { cronTimetable }] = await Promise.all([
    import('../../rules/cron.js'),
    import('../../serve/cron-timetable.js'),
  ]);
  return cronTimetable(await cronOf(cron));
}

/** The change events of pairs. */
class RuleEvents {
  readonly #sources: EventSources;
  /** Of all rules. */
  #common: string | undefined;

  constructor({ io, log }: Context) {
    const trouble = (message: string): void => log.report({ type: 'notice', level: 'warn', message });
    const means = {
      ...{ env: io.env, stdin: io.stdin as never, connection: {}, trouble },
      say: (message: string) => log.say('notice', message),
    };
    this.#sources = new EventSources({
      open: async (events) => (await import('../../open/changes.js')).openChanges({ events }, means),
      failed: (text, error) =>
        trouble(`no more change events from ${text}, only polls: ${toXsyncError(error).message}`),
    });
  }

  /** A source for all rules, until all of them end. @throws usage, config */
  async open(text: string): Promise<void> {
    await this.#sources.take(text);
    this.#common = text;
  }

  /** The changes of a pair: from its own source, or that of all. @throws usage, config */
  async of({ schedule: { events } }: ServedPair): Promise<Hearing | undefined> {
    const text = events ?? this.#common;
    return text === undefined ? undefined : this.#sources.take(text);
  }

  close(): Promise<void> {
    return this.#sources.close();
  }
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
