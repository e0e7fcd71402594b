/**
 * Chooses objects by their tags. Listings have none, so that each object takes a request: only those are asked about that
 * everything else lets through. What was left out is remembered in the manifest until it is written again.
 * Tests: test/engine/pass/tagged.test.ts
 */
import { sameEtag } from '../../model/etag.js';
import { compareKeys } from '../../model/key.js';
import type { ObjectEntry } from '../../model/object.js';
import type { Pass } from '../census.js';
import type { Halt } from '../flow/halt.js';
import { readTagExclusion } from '../list/tags.js';
import type { RunOptions } from '../options.js';
import type { RunPair } from '../pair.js';
import type { Forecast } from '../plan/forecast.js';

interface Context {
  pair: Pick<RunPair, 'source' | 'manifest'>;
  options: RunOptions;
  startedMs: number;
  pass: Pass;
  forecast: Forecast;
  halt: Halt;
}

type TagFilter = NonNullable<RunOptions['tags']>;

const PAGE = 1000;

export class Tagged {
  readonly #context: Context;
  readonly #filter: TagFilter;
  /** Whether objects are asked about, too, that the destination has as they are: they may be deleted, there or here. */
  readonly #everyone: boolean;
  /** A page of the remembered keys, from `#next` on those that the pass has not come to yet. */
  #ahead: readonly string[] = [];
  #next = 0;

  /** Undefined: nothing is chosen by tags. */
  static of(context: Context): Tagged | undefined {
    const { tags } = context.options;
    return tags && new Tagged(context, tags);
  }

  private constructor(context: Context, filter: TagFilter) {
    this.#context = context;
    this.#filter = filter;
    const { deletes, move } = context.options;
    this.#everyone = deletes?.excluded === true || move !== undefined;
    this.startAgain();
  }

  /** Whether tags have a say in what was decided of an object. */
  concerns(action: 'copy' | 'skip' | 'fail' | 'inspect'): boolean {
    return this.#everyone || action !== 'skip';
  }

  /** Why this version was left out before; undefined: it was not, or that no longer counts. */
  remembered({
    key,
    etag,
    mtimeMs,
  }: Pick<ObjectEntry, 'key' | 'etag' | 'mtimeMs'>): { exclusion?: string } | undefined {
    const { pair, options, startedMs } = this.#context;
    const verdict = pair.manifest.tagVerdicts.get(key);
    if (!verdict || verdict.filter !== this.#filter.id || !sameEtag(verdict.sourceEtag, etag)) return undefined;
    if (seconds(verdict.sourceMtimeMs) !== seconds(mtimeMs)) return undefined;
    // A change event may be that of its tags.
    const again = this.#filter.recheck || options.only !== undefined;
    return again && verdict.atMs < startedMs ? undefined : verdict;
  }

  /** Why the object is left out. One request, unless that is remembered. @throws as `readTagExclusion` */
  async exclusionOf(source: ObjectEntry): Promise<string | undefined> {
    const known = this.remembered(source);
    if (known) return known.exclusion;
    const { key, etag: sourceEtag, mtimeMs: sourceMtimeMs } = source;
    const { pair, options, forecast } = this.#context;
    if (options.dryRun) forecast.addTags();
    const atMs = Date.now();
    const exclusion = await readTagExclusion(pair.source, source, this.#filter, this.#context.halt.signal);
    const isKept = exclusion !== undefined || this.#everyone;
    if (isKept && !options.dryRun) {
      pair.manifest.tagVerdicts.put({ key, sourceEtag, sourceMtimeMs, filter: this.#filter.id, exclusion, atMs });
    }
    return exclusion;
  }

  /** The source has this key, and none since the one before: what is remembered of others is forgotten. */
  pass(key: string): void {
    const gone: string[] = [];
    for (let next = this.#peek(); next !== undefined && compareKeys(next, key) < 0; next = this.#peek()) {
      gone.push(next);
      this.#advance();
    }
    if (this.#peek() === key) this.#advance();
    this.#context.pair.manifest.tagVerdicts.drop(gone);
  }

  /** The keys are listed again. */
  startAgain(): void {
    const { options, pass, pair } = this.#context;
    const isWhole = !options.dryRun && options.only === undefined && options.bounds === undefined;
    const keys = isWhole ? pair.manifest.tagVerdicts.keys(pass.after, PAGE) : [];
    this.#ahead = keys;
    this.#next = 0;
  }

  #peek(): string | undefined {
    return this.#ahead[this.#next];
  }

  #advance(): void {
    this.#next++;
    if (this.#next < this.#ahead.length || this.#ahead.length < PAGE) return;
    this.#ahead = this.#context.pair.manifest.tagVerdicts.keys(this.#ahead.at(-1), PAGE);
    this.#next = 0;
  }
}

/** A HEAD tells no more of the time, some listings do. */
function seconds(timeMs: number): number {
  return Math.floor(timeMs / 1000);
}
