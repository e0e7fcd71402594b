/**
 * Writes with attributes: leaves out what the destination turns out to refuse, and sets afterwards what a write cannot
 * carry.
 * Tests: test/engine/transfer/outgoing.test.ts
 */
import { USUAL_POLICY } from '../../model/carry-policy.js';
import { isXsyncError, type XsyncError } from '../../model/error.js';
import { isCarriedClass } from '../../model/storage-class.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { Capabilities } from '../../store/port.js';
import type { Carried, Later } from '../fidelity/carry.js';
import { OPTIONAL, type Optional } from './means.js';
import { type Given, judged, lessened, type Planned, saidBy } from './outgoing.js';

/** A write, and what it carried in the end. */
export interface Written<T> {
  answer: T;
  carried: Carried;
}

/**
 * Writes with the attributes; without those that the destination refuses, which it is not asked for again in this run.
 * @throws attributes-lost, and what `write` throws
 */
export async function writeWith<T>(
  means: Given,
  ticket: Planned,
  carried: Carried,
  write: (put: Carried['put']) => Promise<T>,
): Promise<Written<T>> {
  try {
    return { answer: await write(carried.put), carried };
  } catch (error) {
    if (isRefusedClass(ticket, carried, error)) {
      return writeWith(means, ticket, withoutClass(ticket, carried, error), write);
    }
    if (!mayRefuse(carried, error)) throw error;
    const sent = sentIn(carried);
    const named = sent.find((name) => name === error.attribute);
    if (named) {
      const less = withoutRefused(ticket, carried, [named], error);
      means.refusals.set(named, reasonOf(error));
      // Another one may be refused, too.
      return writeWith(means, ticket, less, write);
    }
    for (const names of subsets(sent)) {
      const less = withoutRefused(ticket, carried, names, error);
      const answer = await unlessRefused(write(less.put));
      if (answer === undefined) continue;
      for (const name of names) means.refusals.set(name, reasonOf(error));
      return { answer: answer.value, carried: less };
    }
    throw error;
  }
}

/** Of one object, whose class was carried over. One class for all is wrong for all. */
function isRefusedClass({ carry }: Planned, { put }: Carried, error: unknown): error is XsyncError {
  if (put.storageClass === undefined) return false;
  return isXsyncError(error) && error.attribute === 'storage-class' && isCarriedClass(carry?.storageClass);
}

/** @throws attributes-lost */
function withoutClass(ticket: Planned, carried: Carried, error: XsyncError): Carried {
  const put = { ...carried.put, storageClass: undefined };
  const notes = [{ attribute: 'storage-class' as const, reason: reasonOf(error) }];
  return judged(ticket.key, ticket.carry ?? USUAL_POLICY, lessened({ ...carried, put }, [], notes));
}

/** @throws attributes-lost */
function withoutRefused(
  { key, carry = USUAL_POLICY }: Pick<Planned, 'key' | 'carry'>,
  carried: Carried,
  names: readonly Optional[],
  error: XsyncError,
  written = false,
): Carried {
  const notes = names.map((attribute) => ({ attribute, reason: reasonOf(error) }));
  return judged(key, carry, lessened(carried, names, notes), written);
}

function reasonOf(error: XsyncError): string {
  return `refused: ${saidBy(error)}`;
}

async function unlessRefused<T>(writing: Promise<T>): Promise<{ value: T } | undefined> {
  try {
    return { value: await writing };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return undefined;
  }
}

function sentIn({ put }: Carried): Optional[] {
  return OPTIONAL.filter((name) => put[name] !== undefined);
}

function isRefusal(error: unknown): error is XsyncError {
  return isXsyncError(error, 'attribute-refused', 'access-denied', 'unsupported');
}

/** The destination may have refused attributes, and not the object. */
export function mayRefuse(carried: Carried, error: unknown): error is XsyncError {
  return isRefusal(error) && sentIn(carried).length > 0;
}

/** Each alone, then all together. */
function subsets(names: readonly Optional[]): Optional[][] {
  const each = names.map((name) => [name]);
  return names.length > 1 ? [...each, [...names]] : each;
}

/** What an upload in parts can be started with. */
export function forUpload(given: Carried, capabilities: Capabilities): Carried {
  const carried = forCopy(given, capabilities);
  const { acl } = carried.put;
  if (acl === undefined || !capabilities.attributes.acl?.notInUploads) return carried;
  return { ...carried, put: { ...carried.put, acl: undefined }, later: { ...carried.later, acl } };
}

/** What a copy by the service can be given. */
export function forCopy(carried: Carried, { attributes }: Capabilities): Carried {
  const { tags, lock } = carried.put;
  const after: Later = {};
  if (tags && attributes.tags?.onlyInPuts) after.tags = tags;
  if (lock && attributes.lock?.onlyInPuts) after.lock = lock;
  const names = Object.keys(after);
  if (names.length === 0) return carried;
  const gone = Object.fromEntries(names.map((name) => [name, undefined]));
  return { ...carried, put: { ...carried.put, ...gone }, later: { ...carried.later, ...after } };
}

/**
 * Sets what the write could not carry.
 * @returns what was carried in the end: without what the destination refuses
 * @throws attributes-lost, and what the store throws
 */
export async function writeLater(
  means: Given,
  ticket: Planned & Pick<CopyTicket, 'dest'>,
  carried: Carried,
): Promise<Carried> {
  let done = carried;
  for (const name of OPTIONAL) {
    try {
      await setLater(means, ticket.dest.key, name, carried);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      means.refusals.set(name, reasonOf(error));
      done = withoutRefused(ticket, done, [name], error, true);
    }
  }
  return done;
}

async function setLater({ dest, halt }: Given, key: string, name: Optional, { later }: Carried): Promise<void> {
  const { signal } = halt;
  if (name === 'tags' && later?.tags) await dest.putTags(key, later.tags, { signal });
  if (name === 'acl' && later?.acl !== undefined) await dest.putAcl(key, later.acl, { signal });
  if (name !== 'lock' || !later?.lock) return;
  const { mode, untilMs, legalHold } = later.lock;
  if (mode !== undefined) await dest.putLock(key, { mode, untilMs }, { signal });
  if (legalHold) await dest.putLock(key, { legalHold }, { signal });
}
