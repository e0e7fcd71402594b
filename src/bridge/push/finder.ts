/** Finds changes at the source, by listings and by events. Tests: test/e2e/bridge.test.ts */
import type { Spool } from '../../manifest/port.js';
import type { Outbox } from '../../manifest/queues.js';
import { toXsyncError } from '../../model/error.js';
import type { ChangeSource } from '../../open/changes.js';
import type { OpenSide } from '../../open/settings.js';
import { Bell } from '../pace.js';
import type { TellTrouble } from '../troubles.js';
import { keyIn, look } from './look.js';
import type { PushMeans, PushOptions } from './options.js';
import { poll } from './poll.js';
import { lookAtVersions, pollVersions, type Versioned } from './versions.js';

export interface Finding {
  source: OpenSide;
  outbox: Outbox;
  spool(): Spool;
  found(): void;
  /** No listing succeeds, or one has again (undefined). */
  trouble: TellTrouble;
}

/** Finds changes, by listings and by events. */
export class Finder {
  readonly #options: PushOptions;
  readonly #means: PushMeans;
  readonly #finding: Finding;
  readonly #bell = new Bell();
  /** With --versions. */
  readonly #versioned: Versioned | undefined;
  /** What was there before the bridge is known. */
  readonly #listed = new Bell();
  /** Deletes by events since the last listing, which alone can tell whether they are plausible. */
  #deleted = 0;

  constructor(options: PushOptions, means: PushMeans, finding: Finding) {
    this.#options = options;
    this.#means = means;
    this.#finding = finding;
    const { source, outbox, spool } = finding;
    const { store, prefix, text } = source;
    const { versions } = outbox;
    if (options.job.versions && versions) {
      this.#versioned = { store, prefix, text, outbox: versions, spool, signal: means.drain };
    }
    means.drain.addEventListener('abort', () => this.#stop(), { once: true });
  }

  #stop(): void {
    this.#bell.ring();
    this.#listed.ring();
  }

  /** One listing. @throws as `poll` */
  async once(): Promise<void> {
    const { source, outbox, found } = this.#finding;
    const { backfill, deletes, compares, reading } = this.#options;
    const { store, prefix, text } = source;
    const first = (await outbox.fact(BASELINE)) === undefined;
    const how = {
      ...{ first, backfill, deletes: first ? undefined : deletes },
      compares: compares ? reading : undefined,
    };
    const { listed, changed } = this.#versioned
      ? await pollVersions(this.#versioned, how)
      : await poll({ store, prefix, text, outbox, signal: this.#means.drain }, how);
    this.#deleted = 0;
    if (first) await outbox.setFact(BASELINE, 'yes');
    this.#listed.ring();
    if (first && !backfill)
      this.#means.say(`${listed} objects are there already; only changes are pushed (--backfill: all)`);
    if (changed > 0) found();
  }

  /** Until drained: a listing that fails is tried again. */
  async follow(): Promise<void> {
    const { drain, trouble } = this.#means;
    const { intervalMs } = this.#options;
    for (let failures = 0; !drain.aborted; ) {
      try {
        await this.once();
        failures = 0;
        this.#finding.trouble(undefined);
        if (intervalMs === undefined) return;
      } catch (error) {
        if (drain.aborted) return;
        const fault = toXsyncError(error);
        const { message, remedy } = fault;
        // One listing that fails for a moment is no trouble: the next one finds the same.
        const text = remedy === undefined ? message : `${message} — ${remedy}`;
        if (fault.class === 'person' || ++failures > 1) this.#finding.trouble(text, fault);
        else trouble(text);
      }
      await this.#bell.wait(intervalMs ?? 60_000);
    }
  }

  /** Until drained, or the source of the events ends. */
  async hear(changes: ChangeSource | undefined): Promise<void> {
    if (!changes) return;
    // Until then, an event would send the whole history of its key.
    if (this.#versioned) await this.#listed.wait(LONGEST_MS);
    const { source, found } = this.#finding;
    for await (const batch of changes.changes(this.#means.drain)) {
      /** Of each key, whether an event says that its tags or its ACL have changed. */
      const keys = new Map<string, boolean>();
      for (const { attributes = false, ...event } of batch.events) {
        const key = keyIn(source, event);
        if (key !== undefined) keys.set(key, attributes || keys.get(key) === true);
      }
      // One that cannot be looked at must not hold up the others.
      let again = false;
      for (const [key, attributes] of keys) {
        const fault = await this.#look(key, attributes && this.#reads).then(() => undefined, toXsyncError);
        if (fault) this.#means.trouble(fault.message);
        again ||= fault !== undefined && fault.class !== 'permanent';
      }
      if (again) await batch.release();
      else await batch.done();
      found();
    }
  }

  /** An event is a hint: the store knows what there is. */
  async #look(key: string, attributes: boolean): Promise<void> {
    const { source, outbox } = this.#finding;
    if (this.#versioned) return this.#lookAtVersions(this.#versioned, key);
    await look(key, { source, outbox, attributes, mayDelete: () => this.#mayDelete() });
  }

  async #lookAtVersions(versioned: Versioned, key: string): Promise<void> {
    if (await lookAtVersions(versioned, key)) return;
    if ((await versioned.outbox.hasVersion(key)) && this.#mayDelete()) await versioned.outbox.noteGone(key);
  }

  get #reads(): boolean {
    const { tags, acl } = this.#options.reading;
    return tags || acl;
  }

  #mayDelete(): boolean {
    const { deletes } = this.#options;
    if (!deletes) return false;
    this.#deleted++;
    const most = deletes.max ?? EVENT_DELETES;
    if (this.#deleted === most + 1) {
      this.#means.trouble(`events report more than ${most} deletes; the rest is left to the next listing`);
    }
    return this.#deleted <= most;
  }
}

/** Without --max-delete. */
const EVENT_DELETES = 1000;
/** As long as a timer can be. */
const LONGEST_MS = 2 ** 31 - 1;
/** Of the first listing. */
export const BASELINE = 'listed';
