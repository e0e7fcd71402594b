/** The pushing end of a bridge: finds changes, and sends tickets for them. Tests: test/e2e/bridge.test.ts */
import { type ListenAddress, urlOf } from '../../inbound/address.js';
import type { Outbox, Tally } from '../../manifest/queues.js';
import type { Fidelity } from '../../model/attributes.js';
import { isXsyncError, toXsyncError, XsyncError } from '../../model/error.js';
import type { ChangeSource } from '../../open/changes.js';
import { openPushing, type Pushing } from '../../open/push.js';
import type { OpenSide } from '../../open/settings.js';
import type { Identity } from '../identity.js';
import { Listener } from '../listener.js';
import { Audit } from '../pull/audit.js';
import type { BridgeObserver } from '../pull/pull.js';
import { together } from '../troubles.js';
import { PullClient } from './client.js';
import { type EarMeans, earDoor } from './ear.js';
import { BASELINE, Finder } from './finder.js';
import type { PushMeans, PushOptions } from './options.js';
import { Sender } from './sender.js';

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
    const versions = job.versions === true;
    if (versions && !outbox.versions) throw new XsyncError('unsupported', 'this outbox keeps no versions');
    await refuseOtherMode(pushing, versions);
    const part = together((message, fault) => {
      observer?.trouble(message, fault);
      if (message === undefined) means.say('well again');
      else means.trouble(message);
    });
    const sender = new Sender({
      ...{ store: source.store, prefix: source.prefix, text: source.text, outbox, expiresS, attempts, versions },
      ...{ deletes: deletes !== undefined, reading: options.reading },
      callback: hearing,
      client: new PullClient(transport, job.destination, () => identity.secrets[0], means.stop),
      done: ({ key }, fidelity) => {
        result.done++;
        const lost = fidelity && lossesOf(fidelity);
        if (lost) means.trouble(`${JSON.stringify(key)} has arrived, but not all of it: ${lost}`);
      },
      dead: (row) => {
        result.dead++;
        if (row.fault)
          observer?.gaveUp({ ...row, operation: row.action === 'copy' ? 'copy' : 'delete', fault: row.fault });
        means.trouble(`given up ${JSON.stringify(row.key)}: ${row.fault?.message}`);
      },
      warn: (message) => means.trouble(message),
      trouble: part(),
    });
    const finder = new Finder(options, means, {
      ...{ source, outbox, spool: pushing.spool, trouble: part() },
      found: () => sender.ring(),
    });
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
    if (!once) return result;
    const counts = await outbox.counts();
    return { ...result, dead: counts.objects.dead + counts.versions.dead, left: !(await outbox.isIdle()) };
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
  say(`receiving outcomes at ${urlOf(ear.at, identity.tls && 'https')}`);
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

/** `40% at the other end (400 of 1000 objects), 3 given up` */
export async function progressOf(outbox: Outbox): Promise<string> {
  const { objects, versions } = await outbox.counts();
  const sum = ({ done, waiting, sent, dead }: Tally): number => done + waiting + sent + dead;
  const [told, what] = sum(versions) > 0 ? [versions, 'versions'] : [objects, 'objects'];
  const all = sum(told);
  const percent = all === 0 ? 100 : Math.floor((100 * told.done) / all);
  const given = objects.dead + versions.dead;
  return `${percent}% at the other end (${told.done} of ${all} ${what})${given === 0 ? '' : `, ${given} given up`}`;
}

/** What was lost of an object besides its bytes, and what has another form now. Undefined: nothing was lost. */
function lossesOf({ mapped, lost }: Fidelity): string | undefined {
  if (lost.length === 0) return undefined;
  const told = (notes: Fidelity['lost'], how: string) =>
    notes.map(({ attribute, reason }) => `${attribute} ${how}: ${reason}`);
  return [...told(lost, 'lost'), ...told(mapped, 'mapped')].join('; ');
}

const MODE = 'versions';

/** Rows of objects mean nothing for their versions, and the other way around. @throws usage */
async function refuseOtherMode({ outbox, file }: Pushing, versions: boolean): Promise<void> {
  const given = versions ? 'with' : 'without';
  const before = (await outbox.fact(MODE)) ?? ((await outbox.fact(BASELINE)) === undefined ? given : 'without');
  if (before === given) return outbox.setFact(MODE, given);
  throw new XsyncError('usage', `this bridge was started ${before} --versions`, {
    subject: '--versions',
    remedy: `${before === 'with' ? 'Add' : 'Leave out'} --versions, or remove ${file} and start again with --backfill.`,
  });
}

/** @throws unsupported */
function refuseUnsigned({ store, text }: OpenSide): void {
  if (store.signedUrl !== undefined) return;
  throw new XsyncError('unsupported', `there are no presigned URLs of ${text}`, {
    subject: text,
    remedy: 'Name a bucket in S3 or OSS, without --transport sdk.',
  });
}
