/**
 * Carries every version and delete marker over, so that the history of each key at the destination reads like that at the
 * source. Versions of one key are written in their order, different keys side by side. With deletes, what the source no
 * longer has at all is hidden or deleted at the destination.
 * Tests: test/engine/pass/history.test.ts, test/engine/pass/history-sync.test.ts
 */
import { limiter, Queue } from '../flow/queue.js';
import { nameOfVersion } from '../list/pending-versions.js';
import { versioningWarnings } from '../list/versioning.js';
import { versionsOfKey } from '../list/versions.js';
import { HISTORY, readFact, writeFact } from '../record/facts.js';
import { LeftOut } from '../record/left-out.js';
import { Arrivals } from './arrivals.js';
import type { RunContext } from './context.js';
import { Deletes } from './deletes.js';
import { GoneKeys, KeyCensus } from './gone-keys.js';
import { GoneVersions } from './gone-versions.js';
import { KeyHistory } from './key-history.js';
import type { Names } from './names.js';
import { listedVersions } from './version-list.js';

/** What a run with deletes finds gone. */
interface Gone {
  census: KeyCensus;
  deletes: Deletes;
  keys: GoneKeys;
  /** Only with --delete-versions. */
  versions?: GoneVersions;
}

/** The versions of one key while they are listed. */
interface Open {
  history: KeyHistory;
  names?: Names;
  versions: number;
}

export class History {
  readonly #context: RunContext;
  readonly #arrivals: Arrivals;
  readonly #gone: Gone | undefined;
  readonly #leftOut = new LeftOut();

  constructor(context: RunContext) {
    this.#context = context;
    this.#arrivals = new Arrivals(context);
    this.#gone = this.#goneOf();
  }

  /** A pass over all keys. @throws faults that end the run; usage: a side keeps no versions; guard */
  async run(): Promise<void> {
    const { pair, options, halt, committer } = this.#context;
    const { dryRun } = options;
    if (!options.bounds) await this.#explain();
    await this.#arrivals.begin();
    if (!dryRun && !readFact(pair.manifest, HISTORY)) writeFact(pair.manifest, HISTORY, { complete: false });
    await this.#closing(async () => {
      this.#gone?.deletes.startAgain();
      await this.#each();
      await this.#gone?.keys.pass();
      this.#gone?.versions?.end();
    });
    this.#reportLeftOut();
    committer.flush();
    await this.#carryOut();
    const whole = !options.bounds && !options.filter && !dryRun && !pair.source.inventory;
    if (whole && !halt.stops('plans')) this.#arrivals.complete(this.#gone !== undefined && !options.noTraverse);
  }

  /** Only these keys, however they came to be named. @throws as `run` */
  async runNamed(keys: readonly string[]): Promise<void> {
    const { options, committer, census, emit } = this.#context;
    await this.#arrivals.begin();
    const queue = new Queue(limiter(options.checkers));
    await this.#closing(async () => {
      for (const key of keys) await queue.push(() => this.#takeNamed(key));
      await queue.drain();
      emit({ type: 'listed', side: 'source', objects: census.listed, done: true });
    });
    committer.flush();
    await this.#carryOut();
  }

  #goneOf(): Gone | undefined {
    const { deletes: how, history } = this.#context.options;
    if (!how) return undefined;
    const census = new KeyCensus(this.#context.census);
    const deletes = new Deletes({ ...this.#context, census }, how);
    const keys = new GoneKeys(this.#context, deletes, census, this.#arrivals);
    const versions = history?.deleteVersions ? new GoneVersions(this.#context, how, this.#arrivals) : undefined;
    return { census, deletes, keys, versions };
  }

  async #explain(): Promise<void> {
    const { pair, halt, emit } = this.#context;
    const warnings = await versioningWarnings(pair, { writes: true, signal: halt.signal });
    for (const message of warnings) emit({ type: 'notice', level: 'warn', message });
  }

  #reportLeftOut(): void {
    if (this.#context.pair.links === 'skip') return;
    for (const message of this.#leftOut.messages(false, false)) {
      this.#context.emit({ type: 'notice', level: 'warn', message });
    }
  }

  async #each(): Promise<void> {
    let open: Open | undefined;
    try {
      for await (const version of listedVersions(this.#context, 'source')) {
        if (this.#context.halt.stops('plans')) return;
        if (open?.history.key !== version.key) {
          const last = open;
          open = undefined;
          await this.#submit(last);
          open = this.#open(version.key);
          open.history.expect(await this.#gone?.keys.pass(version.key));
        }
        open.history.take(version);
        open.names?.add(nameOfVersion(version));
        open.versions++;
      }
      const last = open;
      open = undefined;
      await this.#submit(last);
    } finally {
      open?.history.dispose();
    }
  }

  #open(key: string): Open {
    const history = new KeyHistory(this.#context, this.#arrivals, key);
    return { history, names: this.#gone?.versions?.names(), versions: 0 };
  }

  async #submit(open: Open | undefined): Promise<void> {
    if (!open) return;
    const { history, names, versions } = open;
    if (history.leftOut) this.#leftOut.add(history.leftOut);
    if (names) this.#gone?.versions?.pass(history.key, names, versions);
    await history.submit();
  }

  async #takeNamed(key: string): Promise<void> {
    const { pair, halt, census } = this.#context;
    if (halt.stops('plans')) return;
    try {
      const { history, names } = this.#open(key);
      let versions = 0;
      for await (const version of versionsOfKey(pair.source, key, halt)) {
        history.take({ ...version, key });
        names?.add(nameOfVersion(version));
        versions++;
        if (!version.deleteMarker) census.listed++;
      }
      if (names) this.#gone?.versions?.passAlone(key, names, versions);
      if (versions === 0) await this.#gone?.keys.goneAlone(key);
      else await history.submit();
    } catch (error) {
      if (!halt.signal.aborted) halt.fail(error);
    }
  }

  /** Ends with nothing in flight. */
  async #closing(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } finally {
      await this.#context.executor.drain();
    }
  }

  async #carryOut(): Promise<void> {
    if (!this.#gone) return;
    const { census, deletes, versions } = this.#gone;
    try {
      await deletes.carryOut();
      await versions?.carryOut(() => deletes.mayDelete(), census);
    } finally {
      this.#context.census.doomed = census.doomed + (versions?.left ?? 0);
      deletes.end();
      versions?.dispose();
    }
  }
}
