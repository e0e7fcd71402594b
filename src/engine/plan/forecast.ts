/** Adds up what the copies and deletes of a dry run would cost. Tests: test/engine/record/summary.test.ts */
import { type AttributeName, needsRewrite } from '../../model/attributes.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { AttributeLimits, RequestKind } from '../../store/port.js';
import type { Traffic } from '../events.js';
import { addTraffic } from '../pair.js';
import { requestsOf } from './plan.js';

/** Requests that set one attribute of an object that stays. */
const SETS: Partial<Record<AttributeName, RequestKind>> = { tags: 'putTags', acl: 'putAcl', lock: 'putLock' };

export class Forecast {
  copied = { objects: 0, bytes: 0 };
  /** Bytes of the copied that stay within the service. */
  #unsent = 0;
  #deletes = 0;
  requests: { source: Traffic['requests']; destination: Traffic['requests'] } = { source: {}, destination: {} };

  /** @param keeps of the destination */
  add(ticket: CopyTicket, keeps: AttributeLimits): void {
    this.copied.objects++;
    this.copied.bytes += ticket.source.size;
    if (ticket.dest.twin || ticket.way === 'server') this.#unsent += ticket.source.size;
    const cost = requestsOf(ticket, keeps);
    for (const side of ['source', 'destination'] as const) {
      const sum = this.requests[side];
      for (const [name, count] of Object.entries(cost[side])) {
        const kind = name as keyof typeof sum;
        sum[kind] = (sum[kind] ?? 0) + count;
      }
    }
  }

  /** @param looks HEADs that each side would get; @param batch keys of one request */
  addDelete(looks: { source: number; destination: number }, batch: number): void {
    this.#deletes++;
    for (const side of ['source', 'destination'] as const) {
      if (looks[side] > 0) this.requests[side].head = (this.requests[side].head ?? 0) + looks[side];
    }
    this.requests.destination.delete = Math.ceil(this.#deletes / batch);
  }

  /** A list of one key's versions at the source. */
  addList(): void {
    this.#add('source', 'list');
  }

  /** The tags of an object of the source. */
  addTags(): void {
    this.#add('source', 'getTags');
  }

  /** A request for an archived object of the source. */
  addRestore(): void {
    this.#add('source', 'restore');
  }

  /** Attributes alone: one copy of the object onto itself sets all of them, if one of them needs it. */
  addRefresh(changed: readonly AttributeName[]): void {
    const kinds: readonly RequestKind[] = needsRewrite(changed)
      ? ['copy']
      : changed.flatMap((name) => SETS[name] ?? []);
    for (const kind of kinds) this.#add('destination', kind);
  }

  #add(side: 'source' | 'destination', kind: RequestKind): void {
    this.requests[side][kind] = (this.requests[side][kind] ?? 0) + 1;
  }

  /** The keys are listed again. */
  restart(): void {
    this.#deletes = 0;
    this.#unsent = 0;
    this.copied = { objects: 0, bytes: 0 };
    this.requests = { source: {}, destination: {} };
  }

  /** The bytes of the copies leave the source once. */
  get traffic(): { source: Traffic; destination: Traffic } {
    const bytes = this.copied.bytes - this.#unsent;
    return {
      source: { requests: this.requests.source, bytesIn: bytes, bytesOut: 0 },
      destination: { requests: this.requests.destination, bytesIn: 0, bytesOut: bytes },
    };
  }
}

/** Of both directions of a mirror, as they stand whenever they are read. */
export function bothForecasts(there: Forecast, back: Forecast): Pick<Forecast, 'copied' | 'requests' | 'traffic'> {
  return {
    get copied() {
      const [a, b] = [there.copied, back.copied];
      return { objects: a.objects + b.objects, bytes: a.bytes + b.bytes };
    },
    get requests() {
      const [a, b] = [there.requests, back.requests];
      return { source: added(a.source, b.destination), destination: added(a.destination, b.source) };
    },
    get traffic() {
      const [a, b] = [there.traffic, back.traffic];
      return { source: addTraffic(a.source, b.destination), destination: addTraffic(a.destination, b.source) };
    },
  };
}

function added(a: Traffic['requests'], b: Traffic['requests']): Traffic['requests'] {
  const none = { bytesIn: 0, bytesOut: 0 };
  return addTraffic({ ...none, requests: a }, { ...none, requests: b }).requests;
}
