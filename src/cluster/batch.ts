/** Units of work that wait for a job, and how many of them a job takes. Pure. */
import type { FarPart } from '../engine/transfer/means.js';
import { type CopyWork, fieldOf, type Result, type Work } from './messages.js';

/** A ticket, or one part of an object. */
export interface Unit {
  what: CopyWork | { type: 'part'; part: FarPart };
  bytes: number;
  /** Workers that took it and ended. */
  losses: number;
  settle(result: Result): void;
}

const MIB = 2 ** 20;

/** Of one job. */
export const MOST = { units: 1000, bytes: 256 * MIB };
/** A smaller job costs more than what is in it. */
const LEAST = { units: 8, bytes: 8 * MIB };
/** Jobs that a worker has at once, so that the next has begun when the last objects of one are in flight. */
export const JOBS = 4;
/** Jobs on the queue, however many workers there are. That many also wait if there is none, which starts some. */
const WINDOW = { least: 32, most: 2000, perWorker: 6 };

/** The workers that are there. `room`: requests that all of them together may have in flight. */
export interface CrewSize {
  workers: number;
  room: number;
}

export function windowOf(workers: number): number {
  return Math.min(WINDOW.most, Math.max(WINDOW.least, workers * WINDOW.perWorker));
}

/** Units in the order in which they came. */
export class Units {
  #list: Unit[] = [];
  #head = 0;
  bytes = 0;

  get length(): number {
    return this.#list.length - this.#head;
  }

  add(unit: Unit): void {
    this.#list.push(unit);
    this.bytes += unit.bytes;
  }

  /** In front of all others. */
  putBack(units: readonly Unit[]): void {
    this.#list = [...units, ...this.#list.slice(this.#head)];
    this.#head = 0;
    for (const { bytes } of units) this.bytes += bytes;
  }

  takeAll(): Unit[] {
    const all = this.#list.slice(this.#head);
    this.#list = [];
    this.#head = 0;
    this.bytes = 0;
    return all;
  }

  /**
   * As many as a job should have now: jobs become smaller towards the end, so that the workers end together, but those
   * that a worker has at once fill its room twice, as long as there is as much for everybody.
   * @param out units that jobs have
   */
  takeJob(crew: CrewSize, out: number): Unit[] {
    // Jobs that wait for the first worker are for several.
    const workers = crew.workers || WINDOW.least / WINDOW.perWorker;
    const share = WINDOW.perWorker * workers;
    const fair = Math.ceil((this.length + out) / (JOBS * workers));
    const least = Math.min(Math.ceil((2 * crew.room) / (JOBS * workers)), fair);
    const worthwhile = crew.workers === 0 ? LEAST.units : Math.min(LEAST.units, fair);
    const units = within(Math.max(this.length / share, least), worthwhile, MOST.units);
    const bytes = within(this.bytes / share, LEAST.bytes, MOST.bytes);
    const taken: Unit[] = [];
    let sum = 0;
    for (let next = this.#list[this.#head]; next && taken.length < units; next = this.#list[this.#head]) {
      if (taken.length > 0 && sum + next.bytes > (taken.length < least ? MOST.bytes : bytes)) break;
      sum += next.bytes;
      taken.push(next);
      this.#head++;
    }
    this.bytes -= sum;
    if (2 * this.#head > this.#list.length) {
      this.#list = this.#list.slice(this.#head);
      this.#head = 0;
    }
    return taken;
  }

  /** Enough for a job that is worth its cost. */
  get worthwhile(): boolean {
    return this.length >= LEAST.units || this.bytes >= LEAST.bytes;
  }
}

function within(wanted: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.ceil(wanted)));
}

/** The work of a job, and its units by the names of their results. Parts of one upload that follow each other are one work. */
export function jobOf(units: readonly Unit[]): { work: Work[]; fields: Map<string, Unit> } {
  const work: Work[] = [];
  const fields = new Map<string, Unit>();
  for (const unit of units) {
    if (unit.what.type === 'copy') {
      fields.set(fieldOf(work.length), unit);
      work.push(unit.what);
      continue;
    }
    const { ticket, uploadId, hashing, partNumber } = unit.what.part;
    const last = work.at(-1);
    if (last?.type === 'parts' && last.uploadId === uploadId) last.numbers.push(partNumber);
    else work.push({ type: 'parts', ticket, uploadId, hashing, numbers: [partNumber] });
    fields.set(fieldOf(work.length - 1, partNumber), unit);
  }
  return { work, fields };
}

/** What is in a job, as units that nobody waits for. */
export function unitsOf(work: readonly Work[]): Map<string, Unit> {
  const fields = new Map<string, Unit>();
  const unit = (what: Unit['what'], bytes: number): Unit => ({ what, bytes, losses: 0, settle: () => undefined });
  work.forEach((each, at) => {
    if (each.type === 'copy') fields.set(fieldOf(at), unit(each, each.ticket.source.size));
    else {
      const { ticket, uploadId, hashing } = each;
      for (const partNumber of each.numbers) {
        const part = { ticket, uploadId, hashing, partNumber };
        fields.set(fieldOf(at, partNumber), unit({ type: 'part', part }, ticket.cut.partSize));
      }
    }
  });
  return fields;
}

/** The same for the same thing to do, in another life of the coordinator too. */
export function nameOf(what: Unit['what']): string {
  if (what.type === 'part') return JSON.stringify([what.part.uploadId, what.part.partNumber]);
  const { source, dest } = what.ticket;
  return JSON.stringify([dest.key, source.key, source.etag, source.versionId ?? '', source.size]);
}
