/**
 * The objects of the tickets that are being performed, as a store: bytes by URLs, and what the tickets say besides.
 * Tests: test/bridge/pull/ticket-store.test.ts
 */
import { compareKeys } from '../../model/key.js';
import { originOf } from '../../model/object.js';
import type { StoreIdentity, VersionEntry, VersionListOptions, VersionPage, Versioning } from '../../store/port.js';
import type { UrlLine } from '../../store/urls/list.js';
import type { UrlRequests } from '../../store/urls/requests.js';
import { UrlStore } from '../../store/urls/store.js';
import type { BridgeTicket } from '../ticket.js';

/** By key. */
export interface Tickets {
  lines: ReadonlyMap<string, UrlLine>;
  tickets: ReadonlyMap<string, BridgeTicket>;
}

export class TicketStore extends UrlStore {
  readonly #tickets: ReadonlyMap<string, BridgeTicket>;

  constructor(identity: StoreIdentity, { lines, tickets }: Tickets, requests: UrlRequests) {
    super(identity, lines, requests);
    this.#tickets = tickets;
  }

  /** One version a key: that of its ticket. */
  async listVersions({ prefix = '', startAfter }: VersionListOptions): Promise<VersionPage> {
    const versions = [...this.#tickets.values()]
      .filter(({ key }) => key.startsWith(prefix) && (startAfter === undefined || compareKeys(key, startAfter) > 0))
      .sort((a, b) => compareKeys(a.key, b.key))
      .flatMap((ticket) => versionOf(ticket) ?? []);
    return { versions };
  }

  async versioning(): Promise<Versioning> {
    return 'enabled';
  }

  originOf(key: string): string {
    const ticket = this.#tickets.get(key);
    const told = ticket?.action === 'delete' ? undefined : ticket?.origin;
    return told ?? originOf(this.identity, key);
  }
}

function versionOf(ticket: BridgeTicket): VersionEntry | undefined {
  if (ticket.action === 'delete' || ticket.versionId === undefined) return undefined;
  const { key, versionId, mtimeMs } = ticket;
  const common = { key, versionId, mtimeMs, isLatest: true };
  if (ticket.action === 'mark') return { ...common, size: 0, etag: '', deleteMarker: true };
  const { size, etag } = ticket;
  return { ...common, size, etag };
}
