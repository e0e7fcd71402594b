/**
 * Compares histories: which versions and delete markers each side has of a key, and in which order. Both lists are read
 * side by side, the newest version first, with a bounded window of each.
 * Tests: test/engine/check/histories.test.ts
 */
import { type Manifest, UNKNOWN_VERSION } from '../../manifest/port.js';
import { sameChecksum } from '../../model/checksum.js';
import { toXsyncError, type XsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import { versionName } from '../../model/object.js';
import type { VersionEntry } from '../../store/port.js';
import { pinned } from '../../store/wrap/pinned.js';
import type { Finding } from '../decide/decide.js';
import { exclusionOf } from '../decide/exclusion.js';
import type { Side } from '../events.js';
import { endsRun, type Halt } from '../flow/halt.js';
import type { Queue } from '../flow/queue.js';
import { orderedVersions } from '../list/ordered-versions.js';
import { versioningWarnings } from '../list/versioning.js';
import type { RunPair } from '../pair.js';
import { type ContentContext, inspectContent } from './content.js';
import type { CheckEvent, CheckReporter } from './findings.js';

/** Versions of a key that are held of each side, to tell a missing one from another order. */
const WINDOW = 10_000;

export interface HistoryCheckContext {
  pair: RunPair;
  options: {
    compare: 'default' | 'checksum' | 'size-only' | 'download';
    oneWay: boolean;
    filter?: Parameters<typeof exclusionOf>[1]['filter'];
  };
  halt: Halt;
  report: CheckReporter;
  inspections: Queue;
  content: ContentContext;
}

/** A version of the source, with the ID of the one at the destination that it became, as far as the manifest knows. */
interface Source extends VersionEntry {
  mate: string | undefined;
}

/** A version of the destination. `carried`: the manifest knows which version of the source it is. */
interface Dest extends VersionEntry {
  carried: boolean;
}

export class HistoryCheck {
  readonly #context: HistoryCheckContext;
  readonly #source: VersionWindow<Source>;
  readonly #dest: VersionWindow<Dest>;

  constructor(context: HistoryCheckContext) {
    this.#context = context;
    const { manifest } = context.pair;
    this.#source = new VersionWindow(this.#list('source'), (version) => ({
      ...version,
      mate: mateOf(manifest, version),
    }));
    this.#dest = new VersionWindow(this.#list('destination'), (version) => ({
      ...version,
      carried: manifest.hasDestVersion(version.key, version.versionId),
    }));
  }

  /** @throws faults that end the check; usage: a side keeps no versions */
  async run(): Promise<void> {
    const { pair, halt, report, inspections } = this.#context;
    const warnings = await versioningWarnings(pair, { writes: false, signal: halt.signal });
    for (const message of warnings) report({ type: 'notice', level: 'warn', message });
    try {
      for (;;) {
        const key = least(await this.#source.key(), await this.#dest.key());
        if (key === undefined || halt.stops('plans')) return;
        await this.#compare(key);
      }
    } finally {
      await inspections.drain();
    }
  }

  #list(which: Side): AsyncGenerator<VersionEntry> {
    const { pair, halt, report } = this.#context;
    const side = which === 'source' ? pair.source : pair.dest;
    return orderedVersions(side, {
      signal: halt.listings,
      single: pair.single,
      onDamaged: (fault) => void this.#fail({ key: '', size: 0 }, fault, 'list'),
      listed: (objects, done) => void report({ type: 'listed', side: which, objects, done }),
    });
  }

  async #compare(key: string): Promise<void> {
    const { pair, options, halt } = this.#context;
    let excluded: ReturnType<typeof exclusionOf> | false = false;
    for (;;) {
      const sources = await this.#source.ahead(key);
      const dests = await this.#dest.ahead(key);
      const [source, dest] = [sources[0], dests[0]];
      const any = source ?? dest;
      if (!any || halt.stops('plans')) return;
      if (excluded === false) excluded = exclusionOf(pair, options, key, any);
      if (excluded) {
        for (const { size } of sources.splice(0)) await this.#context.report({ type: 'skip', key, size, ...excluded });
        dests.length = 0;
      } else if (source && dest) await this.#compareFirst(sources, dests, source, dest);
      else if (source) await this.#missing(sources.shift() ?? source, 'missing-on-dst');
      else if (dest) await this.#missing(dests.shift() ?? dest, 'missing-on-src');
    }
  }

  /** Takes at least one version from its window. */
  async #compareFirst(sources: Source[], dests: Dest[], source: Source, dest: Dest): Promise<void> {
    if (isPair(source, dest)) {
      sources.shift();
      dests.shift();
      return this.#compareBoth(source, dest);
    }
    const partner = dests.find((one) => isPair(source, one));
    const other = sources.find((one) => isPair(one, dest));
    // Without the manifest, several versions may look alike: all delete markers do.
    const extra = !other || count(dests, (one) => isPair(other, one)) > count(sources, (one) => isPair(one, dest));
    const missing =
      !partner || count(sources, (one) => isPair(one, partner)) > count(dests, (one) => isPair(source, one));
    if (missing || !extra) sources.shift();
    if (extra) dests.shift();
    if (partner && !missing && !extra) {
      dests.splice(dests.indexOf(partner), 1);
      return this.#found(source, { verdict: 'differ', by: 'order' });
    }
    const known = source.mate !== undefined || dest.carried || source.deleteMarker || dest.deleteMarker;
    if (missing && extra && !known) return this.#compareBoth(source, dest);
    if (missing) await this.#missing(source, 'missing-on-dst');
    if (extra) await this.#missing(dest, 'missing-on-src');
  }

  async #missing(version: VersionEntry, verdict: 'missing-on-src' | 'missing-on-dst'): Promise<void> {
    if (verdict === 'missing-on-src' && this.#context.options.oneWay) return;
    await this.#found(version, { verdict });
  }

  /** Two versions that have the same place in both histories. */
  async #compareBoth(source: Source, dest: Dest): Promise<void> {
    const { compare } = this.#context.options;
    const fault = source.fault ?? dest.fault;
    if (fault) return this.#fail(source, fault);
    const known = source.mate !== undefined;
    if (source.deleteMarker) return this.#found(source, { verdict: 'match', by: known ? 'manifest' : 'size' });
    if (source.size !== dest.size) return this.#found(source, { verdict: 'differ', by: 'size' });
    if (compare === 'size-only') return this.#found(source, { verdict: 'match', by: 'size' });
    if (compare === 'download') return this.#inspect(source, dest, 'bytes');
    // A version never changes.
    if (known && compare === 'default') return this.#found(source, { verdict: 'match', by: 'manifest' });
    const same = sameChecksum(source.checksums ?? {}, dest.checksums ?? {});
    if (same === true) return this.#found(source, { verdict: 'match', by: 'checksum' });
    return this.#inspect(source, dest, 'checksums');
  }

  #inspect(source: Source, dest: Dest, how: 'checksums' | 'bytes'): Promise<void> | undefined {
    const { pair, halt, content, inspections } = this.#context;
    const versions = {
      ...content,
      source: pinned(pair.source.store, source.versionId),
      dest: pinned(pair.dest.store, dest.versionId),
    };
    const full = (prefix: string, entry: VersionEntry) => ({ ...entry, key: prefix + entry.key });
    const both = { source: full(pair.source.prefix, source), dest: full(pair.dest.prefix, dest) };
    return inspections.push(async () => {
      if (halt.stops('objects')) return;
      try {
        const finding = await inspectContent(versions, both, how);
        if (finding && !halt.signal.aborted) await this.#found(source, finding);
      } catch (error) {
        if (halt.signal.aborted) return;
        const fault = toXsyncError(error);
        if (endsRun(fault)) halt.fail(fault);
        else await this.#fail(source, fault);
      }
    });
  }

  async #found({ key, size, versionId, deleteMarker }: VersionEntry, finding: Finding): Promise<void> {
    const event: CheckEvent = { type: 'checked', key, size, ...finding, versionId };
    await this.#context.report(deleteMarker ? { ...event, deleteMarker } : event);
  }

  async #fail({ key, size }: Pick<VersionEntry, 'key' | 'size'>, fault: XsyncError, operation?: 'list'): Promise<void> {
    const { class: kind, code, message, remedy } = fault;
    const event: CheckEvent = { type: 'failed', key, size, class: kind, code, message, attempts: 1 };
    await this.#context.report({ ...event, ...(remedy !== undefined && { remedy }), ...(operation && { operation }) });
  }
}

/** They are the same version, as far as the manifest or the lists tell. */
function isPair(source: Source, dest: Dest): boolean {
  if (source.mate !== undefined || dest.carried) return source.mate === dest.versionId;
  if (source.deleteMarker || dest.deleteMarker) return source.deleteMarker === dest.deleteMarker;
  return source.size === dest.size && sameChecksum(source.checksums ?? {}, dest.checksums ?? {}) !== false;
}

function mateOf(manifest: Manifest, version: VersionEntry): string | undefined {
  const mate = manifest.destVersion(version.key, versionName(version, version.deleteMarker === true));
  return mate === '' || mate === UNKNOWN_VERSION ? undefined : mate;
}

function count<V>(versions: readonly V[], is: (version: V) => boolean): number {
  return versions.filter(is).length;
}

function least(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareKeys(a, b) <= 0 ? a : b;
}

/** Reads a list of versions ahead, within one key. */
class VersionWindow<V extends { key: string }> {
  readonly #list: AsyncIterator<VersionEntry>;
  readonly #as: (version: VersionEntry) => V;
  /** Of one key. */
  readonly #rows: V[] = [];
  #next: V | undefined;
  #over = false;

  constructor(list: AsyncIterator<VersionEntry>, as: (version: VersionEntry) => V) {
    this.#list = list;
    this.#as = as;
  }

  /** The key of the next version; undefined at the end. */
  async key(): Promise<string | undefined> {
    return this.#rows[0]?.key ?? (await this.#peek())?.key;
  }

  /** The next versions of the key, as many as the window holds. The caller takes them from the array. */
  async ahead(key: string): Promise<V[]> {
    while (this.#rows.length < WINDOW) {
      const next = await this.#peek();
      if (next?.key !== key) break;
      this.#rows.push(next);
      this.#next = undefined;
    }
    return this.#rows;
  }

  async #peek(): Promise<V | undefined> {
    if (this.#next || this.#over) return this.#next;
    const { done, value } = await this.#list.next();
    this.#over = done === true;
    this.#next = done ? undefined : this.#as(value);
    return this.#next;
  }
}
