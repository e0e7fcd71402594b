/**
 * The objects of the tickets that are being performed, as a store: bytes by URLs, and what the tickets say besides.
 * Tests: test/bridge/pull/ticket-store.test.ts
 */
import type { Tags } from '../../model/attributes.js';
import type { Checksums } from '../../model/checksum.js';
import { XsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import { type ObjectInfo, originOf } from '../../model/object.js';
import { attributesOfKind } from '../../store/attributes/limits.js';
import type {
  Capabilities,
  HeadOptions,
  ReadOptions,
  StoreIdentity,
  VersionEntry,
  Versioning,
  VersionListOptions,
  VersionPage,
} from '../../store/port.js';
import { furtherOf } from '../../store/urls/answers.js';
import type { UrlLines } from '../../store/urls/lines.js';
import type { UrlRequests } from '../../store/urls/requests.js';
import { UrlStore } from '../../store/urls/store.js';
import type { BridgeTicket, GivenAttributes } from '../ticket.js';

export interface Tickets {
  lines: UrlLines;
  /** By key. */
  tickets: ReadonlyMap<string, BridgeTicket>;
}

export class TicketStore extends UrlStore {
  readonly #tickets: ReadonlyMap<string, BridgeTicket>;
  #service: string | undefined;

  constructor(identity: StoreIdentity, { lines, tickets }: Tickets, requests: UrlRequests) {
    super(identity, lines, requests);
    this.#tickets = tickets;
  }

  /** As the service of the newest ticket spells them: the tickets of a bridge come from one place. */
  override get capabilities(): Capabilities {
    return { ...super.capabilities, ...attributesOfKind(this.#service) };
  }

  /** A ticket was added. */
  meet({ service }: { service?: string }): void {
    this.#service = service;
  }

  /** No request, if the ticket says everything. */
  override async head(key: string, options: HeadOptions = {}): Promise<ObjectInfo> {
    const info = await super.head(key, options);
    return { ...info, ...this.#given(key)?.info, ...this.#tagCount(key) };
  }

  /**
   * The bytes must have the checksums of the ticket, whatever the response says. A HEAD does not tell them: an object that
   * was written again with the same bytes may have other attributes.
   */
  override async read(key: string, target: Uint8Array, options: ReadOptions = {}): Promise<ObjectInfo> {
    const info = await super.read(key, target, options);
    return { ...info, checksums: { ...info.checksums, ...this.#checksums(key) }, ...this.#tagCount(key) };
  }

  protected override further(headers: Record<string, string>): Partial<ObjectInfo> {
    return furtherOf(headers);
  }

  override async getTags(key: string): Promise<Tags> {
    return this.#given(key)?.tags ?? notTold(key, '--tags');
  }

  override async getAcl(key: string): Promise<string> {
    return this.#given(key)?.acl ?? notTold(key, '--acl');
  }

  /** The ticket knows better than a response, which needs a permission of its own to tell. */
  #tagCount(key: string): Partial<ObjectInfo> {
    const tags = this.#given(key)?.tags;
    return tags ? { tagCount: tags.length || undefined } : {};
  }

  #checksums(key: string): Checksums | undefined {
    const ticket = this.#tickets.get(key);
    return ticket?.action === 'copy' ? ticket.checksums : undefined;
  }

  #given(key: string): GivenAttributes | undefined {
    const ticket = this.#tickets.get(key);
    return ticket?.action === 'copy' ? ticket.attributes : undefined;
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

function notTold(key: string, flag: string): never {
  throw new XsyncError('unsupported', `the pushing end does not send them (${flag} there), or must not read them`, {
    subject: key,
  });
}

function versionOf(ticket: BridgeTicket): VersionEntry | undefined {
  if (ticket.action === 'delete' || ticket.versionId === undefined) return undefined;
  const { key, versionId, mtimeMs, newer } = ticket;
  const common = { key, versionId, mtimeMs, isLatest: true, newer };
  if (ticket.action === 'mark') return { ...common, size: 0, etag: '', deleteMarker: true };
  const { size, etag } = ticket;
  return { ...common, size, etag };
}
