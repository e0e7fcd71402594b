/** The pushing end of a bridge: finds changes, and sends tickets for them. Tests: test/e2e/bridge.test.ts */
import type { CopyJob } from '../../engine/job/job.js';
import { type ListenAddress, urlOf } from '../../inbound/address.js';
import type { Change, Outbox, OutboxRow } from '../../manifest/queues.js';
import { isXsyncError, toXsyncError, XsyncError } from '../../model/error.js';
import type { ChangeSource } from '../../open/changes.js';
import { openPushing } from '../../open/push.js';
import type { OpenSide } from '../../open/settings.js';
import type { Identity } from '../identity.js';
import { Listener } from '../listener.js';
import { Bell } from '../pace.js';
import { Audit } from '../pull/audit.js';
import type { BridgeObserver, ServiceMeans } from '../pull/pull.js';
import { PullClient } from './client.js';
import { type EarMeans, earDoor } from './ear.js';
import { changeOf, goneOf, type PollOptions, poll } from './poll.js';
import { Sender } from './sender.js';

export interface PushOptions {
  /** Its destination is the URL of the pulling end. */
  job: CopyJob;
  identity: Identity;
  /** Of the URLs, seconds. */
  expiresS: number;
  attempts: number;
  /** Also what was there before the bridge. */
  backfill: boolean;
  /** Until everything has arrived. */
  once: boolean;
  /** Between two listings, ms; absent: there is only the first one. */
  intervalMs?: number;
  deletes?: NonNullable<PollOptions['deletes']>;
  /** Where it hears outcomes, and the URL at which the other end reaches it. */
  hearing?: { listen: ListenAddress; url: string };
}

export type PushMeans = Omit<ServiceMeans, 'report'> & {
  openChanges?(): Promise<ChangeSource>;
};

export interface PushResult {
  done: number;
  /** Given up; with `once` also by an earlier run. */
  dead: number;
  /** With `once`: it was stopped before everything had arrived. */
  left?: boolean;
}

/** How often the progress is told, ms. */
const TELL_MS = 10_000;

/** Until drained, or with `once` until everything has arrived or was given up. @throws usage, config, locked */
export async function runPush(options: PushOptions, means: PushMeans): Promise<PushResult> {
  const { job, identity, expiresS, attempts, deletes, once, hearing } = options;
  const pushing = await openPushing(job, means.env);
  const { source, outbox, transport, backlog } = pushing;
  const result: PushResult = { done: 0, dead: 0 };
  let changes: ChangeSource | undefined;
  let ear: Listener | undefined;
  let observer: BridgeObserver | undefined;
  try {
    refuseUnsigned(source);
    const sender = new Sender({
      ...{ store: source.store, prefix: source.prefix, outbox, expiresS, attempts, deletes: deletes !== undefined },
      callback: hearing,
      client: new PullClient(transport, job.destination, () => identity.secrets[0], means.stop),
      done: () => {
        result.done++;
      },
      dead: (row) => {
        result.dead++;
        if (row.fault) observer?.gaveUp({ ...row, operation: row.action, fault: row.fault });
        means.trouble(`given up ${JSON.stringify(row.key)}: ${row.fault?.message}`);
      },
      trouble(message) {
        observer?.trouble(message);
        if (message === undefined) means.say('well again');
        else means.trouble(message);
      },
    });
    const finder = new Finder(options, means, { source, outbox, found: () => sender.ring() });
    observer = await means.observe(backlog);
    ear = hearing && (await openEar(hearing.listen, identity, means, (outcomes) => sender.hear(outcomes)));
    changes = once ? undefined : await means.openChanges?.();
    means.say(`pushing ${source.text} to ${new URL(job.destination).origin}`);
    const tell = setInterval(
      () => void progressOf(outbox).then(means.say, (error) => means.trouble(toXsyncError(error).message)),
      TELL_MS,
    );
    try {
      await Promise.all([
        once ? sendOnce(finder, sender, means.drain) : finder.follow(),
        ...(once ? [] : [sender.follow(means.drain), finder.hear(changes)]),
      ]);
    } finally {
      clearInterval(tell);
    }
    means.say(await progressOf(outbox));
    return once ? { ...result, dead: (await outbox.counts()).objects.dead, left: !(await outbox.isIdle()) } : result;
  } finally {
    await ear?.close();
    await observer?.close();
    await changes?.close();
    await pushing.close();
  }
}

/** @throws config */
async function openEar(
  address: ListenAddress,
  identity: Identity,
  { say, trouble }: PushMeans,
  hear: EarMeans['hear'],
): Promise<Listener> {
  const audit = new Audit(undefined, trouble);
  const door = earDoor({ secrets: () => identity.secrets, audit, hear });
  const ear = await Listener.open({ door, audit, address, identity, what: 'cannot hear outcomes' });
  say(`hearing outcomes at ${urlOf(ear.at, identity.tls && 'https')}`);
  return ear;
}

/** Changes are sent even if deletes are refused. @throws as `poll`, when they have arrived */
async function sendOnce(finder: Finder, sender: Sender, drain: AbortSignal): Promise<void> {
  const refused = await finder.once().then(
    () => undefined,
    (error: unknown) => {
      if (!isXsyncError(error, 'guard')) throw error;
      return error;
    },
  );
  await sender.follow(drain, { once: true });
  if (refused) throw refused;
}

/** `40% (400 of 1000 objects), 3 given up` */
export async function progressOf(outbox: Outbox): Promise<string> {
  const { objects } = await outbox.counts();
  const all = objects.done + objects.waiting + objects.sent + objects.dead;
  const percent = all === 0 ? 100 : Math.floor((100 * objects.done) / all);
  const dead = objects.dead === 0 ? '' : `, ${objects.dead} given up`;
  return `${percent}% at the other end (${objects.done} of ${all} objects)${dead}`;
}

/** @throws unsupported */
function refuseUnsigned({ store, text }: OpenSide): void {
  if (store.signedUrl !== undefined) return;
  throw new XsyncError('unsupported', `there are no presigned URLs of ${text}`, {
    subject: text,
    remedy: 'Name a bucket in S3 or OSS, without --transport sdk.',
  });
}

interface Finding {
  source: OpenSide;
  outbox: Outbox;
  found(): void;
}

/** Finds changes, by listings and by events. */
class Finder {
  readonly #options: PushOptions;
  readonly #means: PushMeans;
  readonly #finding: Finding;
  readonly #bell = new Bell();
  /** Deletes by events since the last listing, which alone can tell whether they are plausible. */
  #deleted = 0;

  constructor(options: PushOptions, means: PushMeans, finding: Finding) {
    this.#options = options;
    this.#means = means;
    this.#finding = finding;
    means.drain.addEventListener('abort', () => this.#bell.ring(), { once: true });
  }

  /** One listing. @throws as `poll` */
  async once(): Promise<void> {
    const { source, outbox, found } = this.#finding;
    const { backfill, deletes } = this.#options;
    const { store, prefix, text } = source;
    const first = (await outbox.fact(BASELINE)) === undefined;
    const polled = { store, prefix, text, outbox, signal: this.#means.drain };
    const { listed, changed } = await poll(polled, {
      ...{ first, backfill },
      deletes: first ? undefined : deletes,
    });
    this.#deleted = 0;
    if (first) await outbox.setFact(BASELINE, 'yes');
    if (first && !backfill)
      this.#means.say(`${listed} objects are there already; only changes are pushed (--backfill: all)`);
    if (changed > 0) found();
  }

  /** Until drained: a listing that fails is tried again. */
  async follow(): Promise<void> {
    const { drain, trouble } = this.#means;
    const { intervalMs } = this.#options;
    while (!drain.aborted) {
      try {
        await this.once();
        if (intervalMs === undefined) return;
      } catch (error) {
        if (drain.aborted) return;
        const { message, remedy } = toXsyncError(error);
        trouble(remedy === undefined ? message : `${message} — ${remedy}`);
      }
      await this.#bell.wait(intervalMs ?? 60_000);
    }
  }

  /** Until drained, or the source of the events ends. */
  async hear(changes: ChangeSource | undefined): Promise<void> {
    if (!changes) return;
    const { source, found } = this.#finding;
    for await (const batch of changes.changes(this.#means.drain)) {
      const keys = batch.events.flatMap(({ bucket = source.bucket, key }) =>
        bucket === source.bucket && key.startsWith(source.prefix) && key.length > source.prefix.length
          ? [key.slice(source.prefix.length)]
          : [],
      );
      // One that cannot be looked at must not hold up the others.
      let again = false;
      for (const key of new Set(keys)) {
        const fault = await this.#look(key).then(() => undefined, toXsyncError);
        if (fault) this.#means.trouble(fault.message);
        again ||= fault !== undefined && fault.class !== 'permanent';
      }
      if (again) await batch.release();
      else await batch.done();
      found();
    }
  }

  /** An event is a hint: the store knows what there is. */
  async #look(key: string): Promise<void> {
    const { source, outbox } = this.#finding;
    // Somebody who notes another change meanwhile may have looked earlier.
    for (;;) {
      const row = await outbox.get(key);
      const now = await source.store.head(source.prefix + key).catch((error: unknown) => {
        if (!isXsyncError(error, 'object-not-found')) throw error;
      });
      const change = now ? changeOf({ ...now, key }, row) : row && goneOf(row);
      if (change === undefined || isKnown(row, change)) return;
      if (change.action === 'delete' && !this.#mayDelete()) return;
      if ((await outbox.note([change], 'waiting')).length === 0) return;
    }
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
/** Of the first listing. */
const BASELINE = 'listed';

function isKnown(row: OutboxRow | undefined, { action, etag }: Change): boolean {
  return row?.action === action && row.state !== 'known' && (action === 'delete' || row.etag === etag);
}
