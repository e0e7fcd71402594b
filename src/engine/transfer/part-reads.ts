/**
 * The reads of one object's parts: each by one request or by several, and by a second one if it falls far behind.
 * Tests: test/engine/transfer/stragglers.test.ts
 */
import { isXsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { ObjectStore } from '../../store/port.js';
import type { Lease } from '../flow/budget.js';
import type { Moving } from '../tune/flow.js';
import { type Means, mustBeWhole } from './means.js';
import { type Half, type RaceResult, type Request, Siblings } from './race.js';
import { Span, SpannedRead, SpanSink } from './spans.js';

/** A part's bytes, and the object's headers that came with them. */
export interface Read {
  info: ObjectInfo;
  lease: Lease;
}

/** A part that is read. */
export interface PartToRead {
  partNumber: number;
  offset: number;
  size: number;
  /** Of the requests, if there are several. */
  spans: readonly Span[] | undefined;
}

export class PartReads {
  readonly #means: Means;
  readonly #ticket: CopyTicket;
  readonly #mayRace: (partNumber: number) => boolean;
  readonly #parts = new Siblings();
  readonly #passes = new Siblings();
  readonly #spans = new Siblings();
  readonly #reading = new Set<number>();

  /** @param mayRace whether a part that is read may be requested a second time now */
  constructor(means: Means, ticket: CopyTicket, mayRace: (partNumber: number) => boolean) {
    this.#means = means;
    this.#ticket = ticket;
    this.#mayRace = mayRace;
  }

  /** No part before this one is being read. */
  isOldest(partNumber: number): boolean {
    return partNumber === Math.min(...this.#reading);
  }

  /**
   * @param passing writes the part while it arrives
   * @param mayRace false for a slow destination: what it has taken would have to be sent again
   * @returns what was written, or the bytes if a second request for them was faster
   */
  async pass<T extends object>(
    part: PartToRead,
    moving: Moving,
    passing: Request<T>,
    mayRace: boolean,
  ): Promise<Read | T> {
    const { halt, slots } = this.#means;
    const { partNumber, offset, size } = part;
    this.#reading.add(partNumber);
    try {
      const result = await slots.races.run<Read | T>({
        size,
        siblings: this.#passes,
        signal: halt.signal,
        pace: moving.read,
        first: passing,
        second: () => (mayRace ? this.#again(partNumber, offset, size) : undefined),
        drop: (late) => 'lease' in late && late.lease.release(),
      });
      return reported(this.#means, this.#ticket, partNumber, result);
    } finally {
      this.#reading.delete(partNumber);
    }
  }

  /** @returns the part's bytes, in the given memory */
  async hold(part: PartToRead, lease: Lease, moving: Moving): Promise<Read> {
    const { slots, halt } = this.#means;
    const { partNumber, size } = part;
    const siblings = part.spans ? this.#spans : this.#parts;
    const read = new SpannedRead({
      spans: part.spans ?? [new Span(0, size)],
      moving,
      readSize: () => slots.readSize,
      read: (span, signal) => this.#bringSpan(part, span, lease.bytes, { siblings, signal, pace: moving.read }),
    });
    this.#reading.add(partNumber);
    const unshare = slots.share?.(read);
    try {
      return { info: await read.whole(halt.signal), lease };
    } finally {
      unshare?.();
      this.#reading.delete(partNumber);
    }
  }

  async #bringSpan(
    { partNumber, offset: start }: PartToRead,
    span: Span,
    bytes: Uint8Array,
    half: Pick<Half<Read>, 'siblings' | 'signal' | 'pace'>,
  ): Promise<ObjectInfo> {
    const offset = start + span.offset;
    const place = bytes.subarray(span.offset, span.offset + span.size);
    const again = (): Request<Read> | undefined => {
      const request = this.#again(partNumber, offset, span.size);
      if (request) span.fixed = true;
      return request;
    };
    const result = await this.#means.slots.races.run<Read>({
      ...half,
      get size() {
        return span.size;
      },
      first: this.#inPlace(span, place, offset),
      second: again,
      drop: (late) => late.lease.release(),
    });
    const { info, lease } = reported(this.#means, this.#ticket, partNumber, result);
    // Both requests have ended, so nobody writes there any more.
    if (lease.bytes !== place) place.set(lease.bytes);
    lease.release();
    mustBeWhole(this.#ticket, info);
    return info;
  }

  /** The first request for a span. It ends early if the source can pass its bytes on, and others read the rest. */
  #inPlace(span: Span, place: Uint8Array, offset: number): Request<Read> {
    const { source } = this.#means;
    const { key, etag: ifMatch } = this.#ticket.source;
    const lease: Lease = { bytes: place, release: () => undefined };
    const whole: Request<Read> = async (attempt) => {
      span.fixed = true;
      const bytes = place.subarray(0, span.size);
      const { info } = await this.#into({ ...lease, bytes }, offset)(attempt);
      return { info, lease };
    };
    return async (attempt) => {
      if (!canReadPiecewise(source) || !source.readPieces) return whole(attempt);
      const sink = new SpanSink(span, place, (info) => mustBeWhole(this.#ticket, info));
      try {
        return { info: await source.readPieces(key, sink, { offset, ifMatch, ...attempt }), lease };
      } catch (error) {
        if (isXsyncError(error, 'unsupported')) return whole(attempt);
        if (sink.whole) return { info: this.#heard(sink.whole), lease };
        throw error;
      }
    };
  }

  /** The sink heard it before `ignoringChecksums`. */
  #heard(info: ObjectInfo): ObjectInfo {
    return this.#means.unverified ? { ...info, checksums: {} } : info;
  }

  #into(lease: Lease, offset: number): Request<Read> {
    const { key, etag: ifMatch } = this.#ticket.source;
    return async (attempt) => {
      const info = await this.#means.source.read(key, lease.bytes, { offset, ifMatch, ...attempt });
      return { info, lease };
    };
  }

  /** A second request, into memory of its own; undefined if none may be made. */
  #again(partNumber: number, offset: number, size: number): Request<Read> | undefined {
    const spare = this.#mayRace(partNumber) ? this.#means.budget.tryLease(size) : undefined;
    return spare && orRelease(spare, this.#into(spare, offset));
  }
}

/** The parts of the source may be divided; not those that others want as they are. */
export function canReadPiecewise({ capabilities, readPieces }: ObjectStore): boolean {
  return readPieces !== undefined && !capabilities.local && capabilities.readsInCommon !== true;
}

/** Tells of the race, if there was one. */
export function reported<T>(
  { observe }: Means,
  { key }: CopyTicket,
  part: number,
  { brought, race }: RaceResult<T>,
): T {
  if (race) observe({ type: 'race', key, part, bytes: race.wasted, won: race.won });
  return brought;
}

/** Releases the lease if the request fails. */
function orRelease<T>(lease: Lease, request: Request<T>): Request<T> {
  return async (attempt) => {
    try {
      return await request(attempt);
    } catch (error) {
      lease.release();
      throw error;
    }
  };
}
