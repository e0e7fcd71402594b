/**
 * The conflicts of a mirror's run: reports them, keeps them in the manifest, and remembers under which names losers were
 * kept, because those must reach the other side as well. Tests: test/engine/mirror-scenarios.test.ts
 */
import type { ConflictSide, Manifest, Spool } from '../../manifest/port.js';
import { effectiveMtime, type ObjectInfo } from '../../model/object.js';
import type { Settlement } from '../decide/both-ways.js';
import type { Reporter, RunEvent } from '../events.js';
import type { RunPair } from '../pair.js';

const PAGE = 1000;

interface Open extends Settlement {
  keptAs?: string;
}

export class ConflictBook {
  readonly #pair: Pick<RunPair, 'source' | 'dest'>;
  readonly #manifest: Pick<Manifest, 'conflicts' | 'spool'>;
  readonly #emit: Reporter;
  readonly #dryRun: boolean;
  readonly #startedMs: number;
  /** Those being settled, by key: at most as many as there are copies in the queue. */
  readonly #open = new Map<string, Open>();
  /** Keys of losers that were kept. */
  #kept: Spool | undefined;

  constructor(pair: RunPair, emit: Reporter, { dryRun, startedMs }: { dryRun: boolean; startedMs: number }) {
    this.#pair = pair;
    this.#manifest = pair.manifest;
    this.#emit = emit;
    this.#dryRun = dryRun;
    this.#startedMs = startedMs;
  }

  /** @param settlement undefined: both stay as they are */
  found(key: string, both: { source: ObjectInfo; dest: ObjectInfo }, settlement: Settlement | undefined): void {
    const sides = { source: sideOf(both.source), dest: sideOf(both.dest) };
    if (!this.#dryRun) this.#manifest.conflicts.note(key, sides, Date.now());
    if (settlement) this.#open.set(key, settlement);
    const { winner, keepsLoser = true } = settlement ?? {};
    const { size } = winner === 'destination' ? both.dest : both.source;
    const [source, destination] = [shown(sides.source), shown(sides.dest)];
    this.#emit({ type: 'conflict', key, size, source, destination, ...(winner && { winner }), keepsLoser });
  }

  /** Must hear every event of the run. */
  hear(event: RunEvent): void {
    if (event.type === 'backup') this.#keep(event);
    if (this.#open.size === 0) return;
    if (event.type === 'failed' || event.type === 'held' || event.type === 'skip') this.#open.delete(event.key);
    if (event.type !== 'copied') return;
    const open = this.#open.get(event.key);
    if (!open || (event.direction === undefined) !== (open.winner === 'source')) return;
    this.#open.delete(event.key);
    const { winner, keptAs } = open;
    this.#manifest.conflicts.settle(event.key, { winner, keptAs, atMs: Date.now() });
  }

  #keep({ key, to, direction }: Extract<RunEvent, { type: 'backup' }>): void {
    const { prefix } = direction ? this.#pair.source : this.#pair.dest;
    const keptAs = to.slice(prefix.length);
    const open = this.#open.get(key);
    if (open) open.keptAs = keptAs;
    this.#kept ??= this.#manifest.spool();
    this.#kept.add([{ key: keptAs, value: '' }]);
  }

  /** The names of the losers that this run has kept on one side, page by page. */
  *kept(): Generator<string[], void, void> {
    for (let after: string | undefined; ; ) {
      const rows = this.#kept?.page(after, PAGE) ?? [];
      if (rows.length === 0) return;
      yield rows.map(({ key }) => key);
      after = rows.at(-1)?.key;
    }
  }

  /** Every key was looked at: what was not found again is no conflict any more. */
  complete(): void {
    this.#manifest.conflicts.settleUnseen(this.#startedMs, Date.now());
  }

  dispose(): void {
    this.#kept?.dispose();
    this.#kept = undefined;
  }
}

function shown({ size, mtimeMs }: ConflictSide): { size: number; mtimeMs: number } {
  return { size, mtimeMs };
}

function sideOf(info: ObjectInfo): ConflictSide {
  return { etag: info.etag, size: info.size, mtimeMs: effectiveMtime(info) };
}
