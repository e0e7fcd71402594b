/**
 * Hands units of work over in jobs: as many as the window allows. The first result of a unit counts, whoever has sent it;
 * what a job leaves undone goes into another one.
 */
import type { FarPart } from '../engine/transfer/means.js';
import { type CrewSize, jobOf, nameOf, type Unit, Units, unitsOf, windowOf } from './batch.js';
import type { CopyWork, Result, Work } from './messages.js';

/** Where jobs wait for workers. */
export interface JobQueue {
  add(id: string, work: readonly Work[]): Promise<void>;
}

export interface DispatchOptions {
  queue: JobQueue;
  newId(): string;
  /** Nobody waits for the result: the unit is of an earlier life. */
  recovered(what: Unit['what'], result: Result): void;
  /** All that the job has is done. */
  ended(job: string): void;
  /** The queue does not take a job. */
  failed(error: unknown): void;
}

/** How long a few units wait for more, ms. */
const LINGER_MS = 25;
/** Workers that end over the same unit before it counts as failed. */
const MOST_LOSSES = 8;

const UNFINISHED: Result = { outcome: { kind: 'unfinished' } };

export class Dispatch {
  readonly #options: DispatchOptions;
  readonly #waiting = new Units();
  /** Units without a result, by job and field. */
  readonly #jobs = new Map<string, Map<string, Unit>>();
  /** Of an earlier life, and not asked for yet, by name. */
  readonly #adopted = new Map<string, Unit>();
  /** Those that were done before anybody asked for them, by a worker that began while the pair was being listed. */
  readonly #early = new Map<string, { what: Unit['what']; result: Result }>();
  /** Keys at the destination that jobs of an earlier life may still write. */
  readonly #busy = new Map<string, Promise<void>>();
  #crew: CrewSize = { workers: 0, room: 0 };
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DispatchOptions) {
    this.#options = options;
  }

  set crew(crew: CrewSize) {
    this.#crew = crew;
    if (this.#waiting.worthwhile) this.#pump();
  }

  get jobs(): ReadonlyMap<string, ReadonlyMap<string, Pick<Unit, 'what'>>> {
    return this.#jobs;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  async copy(work: CopyWork): Promise<Result> {
    const { key } = work.ticket.dest;
    const claimed = this.#claim(work);
    if (claimed) return claimed;
    // Another version of it, which must not be written after this one.
    for (let busy = this.#busy.get(key); busy; busy = this.#busy.get(key)) await busy;
    return this.#submit(work, work.ticket.source.size);
  }

  part(part: FarPart): Promise<Result> {
    const what = { type: 'part', part } as const;
    return this.#claim(what) ?? this.#submit(what, part.ticket.cut.partSize);
  }

  /** A job of an earlier life. @param done results that are there */
  adopt(job: string, work: readonly Work[], done: ReadonlyMap<string, Result>): void {
    const open = new Map<string, Unit>();
    for (const [field, unit] of unitsOf(work)) {
      const result = done.get(field);
      if (result) this.#options.recovered(unit.what, result);
      else {
        open.set(field, unit);
        this.#expect(unit);
      }
    }
    this.#jobs.set(job, open);
    if (open.size === 0) this.#end(job);
  }

  heard(job: string, results: Iterable<readonly [field: string, result: Result]>): void {
    const units = this.#jobs.get(job);
    if (!units) return;
    for (const [field, result] of results) {
      const unit = units.get(field);
      if (!unit || isUnfinished(result)) continue;
      units.delete(field);
      unit.settle(result);
    }
    if (units.size === 0) this.#end(job);
  }

  /** The job is gone. What it has not done goes into others. */
  lost(job: string): void {
    const units = [...(this.#jobs.get(job)?.values() ?? [])];
    this.#jobs.delete(job);
    const again: Unit[] = [];
    for (const unit of units) {
      unit.losses++;
      // Nobody has asked for it yet.
      const idle = this.#adopted.get(nameOf(unit.what)) === unit;
      if (this.#stopped || idle) unit.settle(UNFINISHED);
      else if (unit.losses > MOST_LOSSES) unit.settle(worn(unit.losses));
      else again.push(unit);
      if (unit.what.type === 'copy') unit.what = { ...unit.what, again: true };
    }
    this.#waiting.putBack(again);
    this.#options.ended(job);
    this.#pump();
  }

  /** What no job has yet stays undone, and no more is taken. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const unit of this.#waiting.takeAll()) unit.settle(UNFINISHED);
  }

  /** Nobody waits for any result any longer. */
  abandon(result: Result = UNFINISHED): void {
    this.stop();
    for (const units of this.#jobs.values()) for (const unit of units.values()) unit.settle(result);
    this.#jobs.clear();
  }

  /** Waits for the tickets of an earlier life. */
  async drain(): Promise<void> {
    await Promise.all(this.#busy.values());
  }

  #submit(what: Unit['what'], bytes: number): Promise<Result> {
    if (this.#stopped) return Promise.resolve(UNFINISHED);
    return new Promise((settle) => {
      this.#waiting.add({ what, bytes, losses: 0, settle });
      this.#arrived();
    });
  }

  #expect(unit: Unit): void {
    const { what } = unit;
    const name = nameOf(what);
    this.#adopted.set(name, unit);
    const key = what.type === 'copy' ? what.ticket.dest.key : undefined;
    let free = (): void => undefined;
    if (key !== undefined) this.#busy.set(key, new Promise((resolve) => (free = resolve)));
    unit.settle = (result) => {
      const idle = this.#adopted.delete(name);
      if (idle && !isUnfinished(result)) {
        this.#options.recovered(unit.what, result);
        if ('outcome' in result && result.outcome.kind === 'copied') this.#early.set(name, { what: unit.what, result });
      }
      if (key !== undefined) this.#busy.delete(key);
      free();
    };
  }

  /** The result of the same unit of an earlier life. */
  #claim(what: Unit['what']): Promise<Result> | undefined {
    if (this.#adopted.size + this.#early.size === 0) return undefined;
    const name = nameOf(what);
    const early = this.#early.get(name);
    this.#early.delete(name);
    if (early && expectsSame(early.what, what)) return Promise.resolve(early.result);
    const unit = this.#adopted.get(name);
    if (!unit) return undefined;
    this.#adopted.delete(name);
    const { settle } = unit;
    return new Promise((resolve) => {
      unit.settle = (result) => {
        settle(result);
        resolve(result);
      };
    });
  }

  /** Those that come in the same moment go together. */
  #arrived(): void {
    this.#timer ??= setTimeout(() => this.#pump(), LINGER_MS);
  }

  #pump(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#stopped) return;
    let out = 0;
    for (const { size } of this.#jobs.values()) out += size;
    while (this.#waiting.length > 0 && this.#jobs.size < windowOf(this.#crew.workers)) out += this.#hand(out);
  }

  /** @returns how many units the job has */
  #hand(out: number): number {
    const { work, fields } = jobOf(this.#waiting.takeJob(this.#crew, out));
    const id = this.#options.newId();
    this.#jobs.set(id, fields);
    this.#options.queue.add(id, work).catch(this.#options.failed);
    return fields.size;
  }

  #end(job: string): void {
    this.#jobs.delete(job);
    this.#options.ended(job);
    if (this.#waiting.worthwhile) this.#pump();
    else if (this.#waiting.length > 0) this.#arrived();
  }
}

function isUnfinished(result: Result): boolean {
  return 'outcome' in result && result.outcome.kind === 'unfinished';
}

function worn(losses: number): Result {
  const message = `${losses} workers ended while they worked on it`;
  const remedy = 'Look why the workers end; what they had in common is this object.';
  const fault = { class: 'person', code: 'internal', message, remedy } as const;
  return { outcome: { kind: 'failed', fault, attempts: losses } };
}

/** Nobody wrote to the destination in between, as far as its listings show. */
function expectsSame(one: Unit['what'], other: Unit['what']): boolean {
  return one.type === 'copy' && other.type === 'copy' && one.ticket.dest.expects === other.ticket.dest.expects;
}
