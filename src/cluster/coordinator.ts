/**
 * One run, and the workers that perform its tickets. Results are read from the news of the workers; what is missed of
 * those, as while Redis is away, is read from Redis later. Tests: test/e2e/queue.redis.ts
 */
import { randomBytes } from 'node:crypto';
import type { FleetLink, FleetRun } from '../engine/fleet/port.js';
import type { StopLevel } from '../engine/flow/halt.js';
import { type FarPart, type PartSent, Unfinished } from '../engine/transfer/means.js';
import { answerTo } from '../engine/workers/far-checkpoints.js';
import { errorOf, plainError } from '../engine/workers/messages.js';
import { toXsyncError, XsyncError } from '../model/error.js';
import type { Outcome } from '../model/outcome.js';
import type { CopyTicket } from '../model/ticket.js';
import type { Unit } from './batch.js';
import type { Client } from './connect.js';
import { Crew } from './crew.js';
import { Dispatch } from './dispatch.js';
import { keys, WANTED_S } from './keys.js';
import { type CopyWork, type News, type Result, validJob, validNews, type Work } from './messages.js';
import type { PairJobs } from './pair-jobs.js';

interface CoordinatorContext {
  run: FleetRun;
  redis: Client;
  /** ID of the pair. */
  pair: string;
  queue: PairJobs;
  /** The queue's address. */
  text: string;
  /** Jobs of this process that are not forgotten yet: how many works each has; 0 while it is not done. */
  own: Map<string, number>;
  left(): void;
}

const TICK_MS = 1000;
/** Every so many ticks: looks for results whose news was missed: those that an earlier look found, too. */
const SWEEP = 5;
/** A stop that nobody takes back ends by itself, ms. */
const STOP_MS = 60_000;

export class Coordinator implements FleetLink {
  readonly #context: CoordinatorContext;
  readonly #dispatch: Dispatch;
  readonly #crew: Crew;
  readonly #subscriber: Client;
  readonly #life = randomBytes(6).toString('hex');
  readonly #unhear: () => void;
  /** Done, by job: how many works each had. */
  readonly #ended = new Map<string, number>();
  readonly #works = new Map<string, number>();
  /** What the last look found. */
  readonly #found = new Map<string, { over: boolean; fields: ReadonlySet<string> }>();
  /** What is being recorded of an earlier life. */
  readonly #recovering = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;
  #jobs = 0;

  constructor(context: CoordinatorContext) {
    const { run, redis, queue, own, text } = context;
    this.#context = context;
    this.#crew = new Crew(redis, text, run.emit);
    this.#subscriber = redis.duplicate();
    this.#subscriber.on('error', () => undefined);
    this.#dispatch = new Dispatch({
      queue: {
        add: (id, work) => {
          own.set(id, 0);
          this.#works.set(id, work.length);
          return queue.add(id, work);
        },
      },
      newId: () => `${this.#life}-${this.#jobs++}`,
      recovered: (what, result) => this.#recover(what, result),
      ended: (job) => this.#ended.set(job, this.#works.get(job) ?? 0),
      failed: (error) => this.fail(error),
    });
    this.#unhear = run.halt.hear((level) => void this.#stop(level));
  }

  async open(): Promise<void> {
    const { redis, pair, run } = this.#context;
    await redis.del(keys.stop(pair));
    await this.#want();
    await this.#subscriber.subscribe(keys.news(pair));
    this.#subscriber.on('message', (_channel: string, text: string) => this.#hear(validNews(text)));
    this.#dispatch.crew = await this.#crew.look();
    await this.#adopt();
    await Promise.all(this.#recovering);
    run.flush();
    this.#timer = setInterval(() => void this.#tick().catch((error: unknown) => this.fail(error)), TICK_MS);
  }

  async perform(ticket: CopyTicket): Promise<Outcome> {
    const { observe, checkpoints } = this.#context.run;
    const { key, cut, source } = ticket;
    const result = await this.#dispatch.copy(await this.#workOf(ticket));
    if ('error' in result) throw errorOf(result.error);
    if (!('outcome' in result)) throw new XsyncError('internal', 'a worker returned a part for an object');
    const { outcome } = result;
    if (outcome.kind !== 'copied') return outcome;
    if (cut.parts > 1) await checkpoints.endUpload(key);
    else {
      observe({ type: 'begin', key, size: source.size, parts: 1, resumedBytes: 0 });
      observe({ type: 'progress', key, bytes: source.size });
    }
    return outcome;
  }

  readonly sendPart = async (part: FarPart): Promise<PartSent> => {
    const result = await this.#dispatch.part(part);
    if ('sent' in result) return result.sent;
    if ('error' in result) throw errorOf(result.error);
    throw new Unfinished();
  };

  drain(): Promise<void> {
    return this.#dispatch.drain();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#unhear();
    this.#dispatch.abandon();
    this.#subscriber.disconnect();
    const { own, left } = this.#context;
    for (const [job, works] of this.#ended) own.set(job, works);
    this.#crew.tell(0);
    left();
  }

  /** With its unfinished upload, so that a worker can continue it. */
  async #workOf(ticket: CopyTicket): Promise<CopyWork> {
    const { checkpoints } = this.#context.run;
    const row = ticket.cut.parts > 1 ? await checkpoints.upload(ticket.key) : undefined;
    const upload = row && { row, parts: await checkpoints.parts(ticket.key) };
    return { type: 'copy', ticket, ...(upload && { upload }) };
  }

  /** Jobs of an earlier life of this program. */
  async #adopt(): Promise<void> {
    const { queue, own } = this.#context;
    for (const id of await queue.ids()) {
      if (own.has(id)) continue;
      const work = workIn(await queue.data(id));
      own.set(id, 0);
      this.#works.set(id, work.length);
      this.#dispatch.adopt(id, work, await queue.done(id));
    }
  }

  #recover(what: Unit['what'], result: Result): void {
    const recovering = this.#record(what, result)
      .catch((error: unknown) => this.fail(error))
      .finally(() => this.#recovering.delete(recovering));
    this.#recovering.add(recovering);
  }

  async #record(what: Unit['what'], result: Result): Promise<void> {
    const { checkpoints, recovered } = this.#context.run;
    if (what.type === 'copy') {
      if (!('outcome' in result) || result.outcome.kind !== 'copied') return;
      if (what.ticket.cut.parts > 1) await checkpoints.endUpload(what.ticket.key);
      recovered(what.ticket, result.outcome);
      return;
    }
    const { ticket, uploadId } = what.part;
    const row = await checkpoints.upload(ticket.key);
    if ('sent' in result && row?.uploadId === uploadId) await checkpoints.addPart(ticket.key, result.sent.row);
  }

  #hear(news: News | undefined): void {
    if (!news || !this.#dispatch.jobs.has(news.job)) return;
    const { run } = this.#context;
    const { worker, refused, observed = [], retried = [], traffic = {}, checkpoints = [] } = news;
    for (const question of checkpoints) {
      answerTo(question, run.checkpoints).catch((error: unknown) => this.fail(error));
    }
    for (const observation of observed) run.observe(observation);
    for (const { side, event } of retried) run.elsewhere[side].retried(event);
    for (const side of ['source', 'dest'] as const) {
      const counts = traffic[side];
      if (counts) run.elsewhere[side].counted(counts);
    }
    if (refused !== undefined) this.#crew.refused(worker, refused);
    this.#take(news.job, news.results ?? []);
    if (news.over) this.#over(news.job);
  }

  #take(job: string, results: readonly (readonly [field: string, result: Result])[]): void {
    for (const [field, result] of results) {
      const bytes = this.#bytesOf(job, field, result);
      if (bytes !== undefined && result.by !== undefined) this.#crew.worked(result.by, bytes);
    }
    this.#dispatch.heard(job, results);
  }

  /** Bytes of what was done; undefined if its result was known before, or it was not done. */
  #bytesOf(job: string, field: string, result: Result): number | undefined {
    const what = this.#dispatch.jobs.get(job)?.get(field)?.what;
    if (what?.type === 'part') return 'sent' in result ? result.sent.row.size : undefined;
    return 'outcome' in result && result.outcome.kind === 'copied' ? what?.ticket.source.size : undefined;
  }

  /** No worker does any more of the job. */
  #over(job: string): void {
    if (this.#dispatch.jobs.has(job)) this.#dispatch.lost(job);
  }

  async #want(): Promise<void> {
    const { redis, pair } = this.#context;
    await redis.set(keys.wanted(pair), '1', 'EX', WANTED_S);
  }

  async #tick(): Promise<void> {
    await this.#want();
    this.#dispatch.crew = await this.#crew.look();
    const { size } = this.#dispatch.jobs;
    this.#crew.warn(size > 0);
    const refusal = size > 0 ? this.#crew.refusal : undefined;
    if (refusal !== undefined) this.#refuse(refusal);
    await this.#forget();
    if (this.#ticks++ % SWEEP > 0) return;
    for (const [job, units] of [...this.#dispatch.jobs]) await this.#look(job, units.size);
    this.#crew.tell(await this.#context.queue.waiting());
  }

  async #look(job: string, open: number): Promise<void> {
    const { over, done } = await this.#context.queue.look(job, (this.#works.get(job) ?? 0) - open);
    const before = this.#found.get(job);
    this.#found.set(job, { over, fields: new Set(done.keys()) });
    // The news may be on its way, and has what Redis does not keep: requests, bytes and retries.
    this.#take(
      job,
      [...done].filter(([field]) => before?.fields.has(field)),
    );
    if (over && before?.over) this.#over(job);
  }

  /** What is done has been recorded by now, and is made durable before Redis forgets it. */
  async #forget(): Promise<void> {
    const { run, queue, own } = this.#context;
    if (this.#ended.size === 0) return;
    const ended = [...this.#ended];
    // Whoever waits for a result records it before this goes on.
    await new Promise((resolve) => setImmediate(resolve));
    run.flush();
    for (const [job, works] of ended) {
      if (!(await queue.forget(job, works))) continue;
      this.#ended.delete(job);
      this.#works.delete(job);
      this.#found.delete(job);
      own.delete(job);
    }
  }

  async #stop(level: StopLevel): Promise<void> {
    if (level === 'plans') return;
    const { redis, pair, queue, run } = this.#context;
    this.#dispatch.stop();
    if (level === 'calls') {
      this.#dispatch.abandon();
      // Without Redis, the workers find out by themselves, when `wanted` expires.
      await Promise.all([redis.set(keys.stop(pair), level, 'PX', STOP_MS), redis.del(keys.wanted(pair))]).catch(
        () => undefined,
      );
      return;
    }
    try {
      await redis.set(keys.stop(pair), level, 'PX', STOP_MS);
      for (const job of [...this.#dispatch.jobs.keys()]) if (await queue.withdraw(job)) this.#over(job);
    } catch (error) {
      run.halt.fail(error);
    }
  }

  #refuse(reason: string): void {
    const fault = new XsyncError('config', `no worker can copy this pair: ${reason}`, {
      remedy: 'Give the workers the remotes of this pair, and the same version of xsync.',
    });
    this.#dispatch.abandon({ error: plainError(fault) });
  }

  /** Ends the run. */
  fail(error: unknown): void {
    if (!this.#context.run.halt.signal.aborted) this.#context.run.halt.fail(toXsyncError(error));
  }
}

/** A job that cannot be read has nothing that is worth keeping. */
function workIn(data: unknown): readonly Work[] {
  try {
    return validJob(data).work;
  } catch {
    return [];
  }
}
