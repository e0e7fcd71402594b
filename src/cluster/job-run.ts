/** One job in a worker: performs what has no result yet. Tests: test/e2e/queue.redis.ts */
import type { MemoryBudget } from '../engine/flow/budget.js';
import { endsRun, Halt, type StopLevel } from '../engine/flow/halt.js';
import type { Lanes } from '../engine/flow/lanes.js';
import type { EtagTrust } from '../engine/transfer/etag-trust.js';
import { sendLonePart } from '../engine/transfer/lone-part.js';
import { type FarPart, type Means, type Observation, type Refusals, Unfinished } from '../engine/transfer/means.js';
import { perform } from '../engine/transfer/perform.js';
import type { Slots } from '../engine/transfer/slots.js';
import { ignoringChecksums } from '../engine/transfer/unverified.js';
import { plainError } from '../engine/workers/messages.js';
import type { Checkpoints } from '../manifest/checkpoints.js';
import { toXsyncError, XsyncError } from '../model/error.js';
import type { CopyTicket, Place } from '../model/ticket.js';
import type { ObjectStore } from '../store/port.js';
import type { RetryNotice, StoreView } from '../store/wrap/share.js';
import type { Client } from './connect.js';
import { FarUpload } from './far-upload.js';
import { keys } from './keys.js';
import { type CopyWork, fieldOf, type JobData, type Result } from './messages.js';
import { Outlet } from './outlet.js';

/** Calls in flight end within this time after a stop. */
const GRACE_MS = 4000;

/** The stores of a pair, as a worker opens them. */
export interface FarSides {
  source: SharedView;
  dest: SharedView;
  close(): Promise<void>;
}

/** With what all jobs of the pair learn of them. */
export interface OpenSides extends FarSides {
  etags: Record<'source' | 'dest', EtagTrust>;
  refusals: Refusals;
}

interface SharedView {
  view(onRetry: (event: RetryNotice) => void): StoreView;
}

/** What all jobs of a worker share. */
export interface Tools {
  redis: Client;
  /** The worker's name. */
  name: string;
  slots: Slots;
  lanes: Lanes;
  budget: MemoryBudget;
  /** Waits until a request may be sent; absent: there is no limit. */
  paced?(store: ObjectStore, data: JobData): ObjectStore;
  /** An object or a part was sent. */
  count(bytes: number): void;
}

/** How a job ended: everything has a result; something has none; another worker should have it. */
export type JobEnd = { kind: 'done' } | { kind: 'left' } | { kind: 'refused'; reason: string };

export class JobRun {
  readonly #tools: Tools;
  readonly #id: string;
  readonly #data: JobData;
  /** Another worker has had it. */
  readonly #again: boolean;
  readonly #halt = new Halt(GRACE_MS);
  readonly #outlet: Outlet;
  #views: Partial<Record<'source' | 'dest', StoreView>> = {};
  #refused: string | undefined;
  #left = false;
  #stopped = false;
  #over = false;

  constructor(tools: Tools, { id, data, again }: { id: string; data: JobData; again: boolean }) {
    this.#tools = tools;
    this.#id = id;
    this.#data = data;
    this.#again = again;
    const { redis, name: worker } = tools;
    this.#outlet = new Outlet({ redis, pair: data.terms.pair, job: id, worker, views: () => this.#views });
  }

  get pair(): string {
    return this.#data.terms.pair;
  }

  stop(level: StopLevel): void {
    this.#stopped = true;
    this.#halt.stop('interrupted', level);
  }

  /** The run is stopped: what is left of the job is planned again by the next one. */
  end(level: StopLevel): void {
    this.#over = true;
    this.stop(level);
  }

  /** @param opening of the pair. @throws what Redis throws */
  async run(opening: Promise<OpenSides>): Promise<JobEnd> {
    try {
      const sides = await opening;
      // Hours later, what its coordinator decided may be wrong.
      if ((await this.#tools.redis.exists(keys.wanted(this.pair))) === 0) this.end('objects');
      else await this.#perform(sides);
    } catch (error) {
      this.#refused = messageOf(error);
    }
    this.#halt.dispose();
    if (this.#refused !== undefined && !this.#stopped) {
      await this.#outlet.close({ refused: this.#refused });
      return { kind: 'refused', reason: this.#refused };
    }
    await this.#outlet.close(this.#over ? { over: true } : {});
    return { kind: this.#left && !this.#over ? 'left' : 'done' };
  }

  async #perform(sides: OpenSides): Promise<void> {
    const { terms, work } = this.#data;
    const means = this.#meansOf(sides, terms.unverified === true);
    for (const { ticket } of work) refuseOther(means, ticket);
    const done = new Set(await this.#tools.redis.hkeys(keys.done(this.#id)));
    await Promise.all(
      work.flatMap((each, at) => {
        if (each.type === 'copy') return done.has(fieldOf(at)) ? [] : [this.#copy(means, at, each)];
        const { type: _, numbers, ...parts } = each;
        const missing = numbers.filter((partNumber) => !done.has(fieldOf(at, partNumber)));
        return missing.map((partNumber) => this.#part(means, fieldOf(at, partNumber), { ...parts, partNumber }));
      }),
    );
  }

  #copy(means: Means, at: number, work: CopyWork): Promise<void> {
    const { lanes, count } = this.#tools;
    const { size } = work.ticket.source;
    const copy = async (opened?: () => void): Promise<Result> => {
      const checkpoints = await this.#checkpoints(at, work);
      const own = { ...means, checkpoints, observe: this.#hears(work), opened };
      const outcome = await perform(this.#ticketOf(work), own);
      if (outcome.kind === 'copied') count(size);
      return { outcome };
    };
    return new Promise((ended) => {
      void lanes.push({ size, byService: false }, async (opened) => {
        const result = await this.#resultOf(() => copy(opened));
        if (result) this.#tell(fieldOf(at), result);
        ended();
      });
    });
  }

  async #part(means: Means, field: string, part: FarPart): Promise<void> {
    const result = await this.#resultOf(async () => {
      try {
        const sent = await sendLonePart(means, part);
        this.#tools.count(sent.row.size);
        return { sent };
      } catch (error) {
        if (error instanceof Unfinished || this.#halt.signal.aborted) return { outcome: { kind: 'unfinished' } };
        const fault = toXsyncError(error);
        if (endsRun(fault)) throw fault;
        return { error: plainError(fault) };
      }
    });
    if (result) this.#tell(field, result);
  }

  /** Undefined if another worker should do it: what is wrong here, such as a key, may be right there. */
  async #resultOf(work: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await work();
    } catch (error) {
      this.#refused ??= messageOf(error);
      this.#left = true;
      this.#halt.stop('interrupted', 'objects');
      return undefined;
    }
  }

  #tell(field: string, result: Result): void {
    if ('outcome' in result && result.outcome.kind === 'unfinished') this.#left = true;
    else this.#outlet.result(field, result);
  }

  /** What a worker that is gone may have written is not taken for a stranger's. */
  #ticketOf({ ticket, again }: CopyWork): CopyTicket {
    return this.#again || again ? { ...ticket, dest: { ...ticket.dest, firm: true } } : ticket;
  }

  async #checkpoints(work: number, copy: CopyWork): Promise<Checkpoints> {
    const { redis } = this.#tools;
    return FarUpload.open(redis, { job: this.#id, work }, copy, (question) => this.#outlet.checkpoint(question));
  }

  /** The coordinator knows by itself when an object in one request begins and ends. */
  #hears({ ticket: { cut } }: CopyWork): (observation: Observation) => void {
    return (observation) => {
      const isProgress = observation.type === 'begin' || observation.type === 'progress';
      if (cut.parts > 1 || !isProgress) this.#outlet.observed(observation);
    };
  }

  #meansOf({ source, dest, etags, refusals }: OpenSides, unverified: boolean): Means {
    const { slots, budget, paced } = this.#tools;
    const viewOf = (shared: SharedView, side: 'source' | 'dest') => {
      const view = shared.view((event) => this.#outlet.retried({ side, event }));
      this.#views[side] = view;
      return paced ? paced(view.store, this.#data) : view.store;
    };
    const means: Means = {
      ...{ source: viewOf(source, 'source'), dest: viewOf(dest, 'dest'), halt: this.#halt },
      ...{
        budget,
        slots,
        etags,
        refusals,
        checkpoints: NONE,
        observe: (observation) => this.#outlet.observed(observation),
      },
    };
    return unverified ? ignoringChecksums(means) : means;
  }
}

/** Of parts: their coordinator has the checkpoint. */
const NONE: Checkpoints = {
  upload: async () => undefined,
  beginUpload: async () => undefined,
  addPart: async () => undefined,
  noteHash: async () => undefined,
  parts: async () => [],
  dropParts: async () => undefined,
  endUpload: async () => undefined,
};

/** A remote of the same name may be another place on this machine. @throws config */
function refuseOther({ source, dest }: Means, ticket: CopyTicket): void {
  for (const [store, place] of [[source, ticket.source.place] as const, [dest, ticket.dest.place] as const]) {
    const { kind, endpoint, bucket } = store.identity;
    if (kind === place.kind && endpoint === place.endpoint && bucket === place.bucket) continue;
    const here = textOf({ kind, endpoint, bucket });
    throw new XsyncError('config', `its remotes lead elsewhere: to ${here} instead of ${textOf(place)}`);
  }
}

function textOf({ kind, endpoint, bucket }: Place): string {
  return [kind, endpoint, bucket].filter((part) => part !== '').join(' ');
}

function messageOf(error: unknown): string {
  return toXsyncError(error).message;
}
