/** The tickets that are being performed, as the lines of a list of URLs. Tests: test/bridge/pull/book.test.ts */
import { type AddressGuard, addressGuard, namesHost } from '../../store/http/address-guard.js';
import type { HttpTransport } from '../../store/http/transport.js';
import { HeldLines } from '../../store/urls/lines.js';
import { UrlRequests } from '../../store/urls/requests.js';
import type { BridgeTicket } from '../ticket.js';
import { TicketStore } from './ticket-store.js';

export interface Trust {
  /** Hosts that may be asked (`namesHost`). */
  allowHost: readonly string[];
  /** Of them, those that may have private addresses. */
  allowPrivate: readonly string[];
  /** Hosts that may be told what became of their tickets. */
  allowCallback: readonly string[];
}

/** Whether a URL may be fetched, as far as its text tells; its address is checked when it is connected to. */
export function isTrusted(url: string, { allowHost }: Pick<Trust, 'allowHost'>): boolean {
  return namesHost(allowHost, new URL(url).hostname.replace(/^\[|\]$/g, ''));
}

/** A deleted object is one of which the store knows nothing. */
export class Book {
  readonly guard: AddressGuard;
  readonly #name: string;
  readonly #lines = new HeldLines();
  readonly #tickets = new Map<string, BridgeTicket>();
  #store: TicketStore | undefined;

  constructor(name: string, { allowPrivate }: Pick<Trust, 'allowPrivate'>) {
    this.#name = name;
    this.guard = addressGuard(allowPrivate);
  }

  readonly store = (transport: HttpTransport): TicketStore => {
    const identity = { kind: 'bridge', endpoint: 'bridge', bucket: this.#name, account: '' };
    // A presigned URL leads to the object itself: redirects stay on its host.
    this.#store = new TicketStore(
      identity,
      { lines: this.#lines, tickets: this.#tickets },
      new UrlRequests(transport, [], true),
    );
    return this.#store;
  };

  open(ticket: BridgeTicket): void {
    this.close(ticket.key);
    if (ticket.action === 'delete') return;
    this.#tickets.set(ticket.key, ticket);
    if (ticket.action === 'mark') return;
    this.#store?.meet(ticket);
    const { key, url, etag, size, mtimeMs } = ticket;
    this.#lines.set({ key, url, etag, size, mtimeMs, checksums: {}, fresh: true });
  }

  close(key: string): void {
    this.#tickets.delete(key);
    this.#lines.delete(key);
  }
}
