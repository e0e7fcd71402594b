/**
 * What is sent to the destination besides the bytes: asks for what costs a request, carries it over, and leaves out what
 * the destination turns out to refuse.
 * Tests: test/engine/transfer/outgoing.test.ts
 */
import type { AttributeName, AttributeNote } from '../../model/attributes.js';
import { type CarryPolicy, USUAL_POLICY } from '../../model/carry-policy.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import { isCarriedClass } from '../../model/storage-class.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { CallOptions, Capabilities, PutAttributes } from '../../store/port.js';
import { type Attributes, type Carried, carry } from '../fidelity/carry.js';
import { type Means, OPTIONAL, type Optional } from './means.js';

type Given = Pick<Means, 'source' | 'dest' | 'halt' | 'refusals'>;
type Planned = Pick<CopyTicket, 'key' | 'source' | 'carry'> & {
  dest?: CopyTicket['dest'];
  serviceCopiesTags?: boolean;
};

/**
 * Sends no request unless the policy has tags or ACLs.
 * @throws attributes-lost: the object would lose something, and `--fidelity` is strict
 */
export function outgoing(means: Given, ticket: Planned, info: ObjectInfo): Carried | Promise<Carried> {
  const { source, dest } = means;
  const policy = ticket.carry ?? USUAL_POLICY;
  const finish = (object: Attributes, unread: readonly AttributeNote[]): Carried => {
    const { serviceCopiesTags } = ticket;
    const { versionName } = ticket.dest ?? {};
    const how = { ...policy, serviceCopiesTags, versionName };
    const carried = carry(object, source.capabilities, dest.capabilities, how);
    return judged(ticket.key, policy, without(carried, means.refusals, unread));
  };
  const { acl = false } = policy;
  const tags = policy.tags === true && info.tagCount !== undefined && !ticket.serviceCopiesTags;
  if (!tags && !acl) return finish(info, []);
  return ask(means, ticket.source.key, { tags, acl }).then(({ unread, ...asked }) =>
    finish({ ...info, ...asked }, unread),
  );
}

/** A version of a history must not be written twice. */
export function onceOf({ dest }: Pick<CopyTicket, 'dest'>): Pick<CallOptions, 'once'> {
  return dest.versionName === undefined ? {} : { once: true };
}

interface Asked extends Pick<Attributes, 'tags' | 'acl'> {
  /** What must not be read. */
  unread: AttributeNote[];
}

async function ask({ source, halt }: Given, key: string, wanted: { tags: boolean; acl: boolean }): Promise<Asked> {
  const unread: AttributeNote[] = [];
  const read = async <T>(attribute: AttributeName, request: Promise<T> | undefined): Promise<T | undefined> => {
    try {
      return await request;
    } catch (error) {
      if (!isXsyncError(error, 'access-denied', 'unsupported')) throw error;
      unread.push({ attribute, reason: `not readable: ${saidBy(error)}` });
      return undefined;
    }
  };
  const { signal } = halt;
  const [tags, acl] = await Promise.all([
    read('tags', wanted.tags ? source.getTags(key, { signal }) : undefined),
    read('acl', wanted.acl ? source.getAcl(key, { signal }) : undefined),
  ]);
  // They are asked for only where the object is said to have some.
  if (tags?.length === 0) unread.push({ attribute: 'tags', reason: 'not readable: the service returned none' });
  return { unread, tags, acl };
}

/** @throws attributes-lost */
function judged(key: string, { fidelity: level }: CarryPolicy, carried: Carried): Carried {
  if (level === 'ignore') return { ...carried, fidelity: undefined };
  const lost = carried.fidelity?.lost ?? [];
  if (lost.length === 0 || level !== 'strict') return carried;
  const what = lost.map(({ attribute, reason }) => `${attribute}: ${reason}`).join('; ');
  throw new XsyncError('attributes-lost', `not copied, because it would lose attributes: ${what}`, {
    subject: key,
    remedy: 'Copy it with --fidelity warn, or change the object.',
  });
}

/** Without what was refused before, or could not be read. */
function without(carried: Carried, refusals: Means['refusals'], unread: readonly AttributeNote[]): Carried {
  const refused = OPTIONAL.filter((name) => refusals.has(name) && has(carried, name));
  if (refused.length === 0 && unread.length === 0) return carried;
  const notes = refused.map((attribute) => ({ attribute, reason: refusals.get(attribute) ?? '' }));
  return lessened(carried, refused, [...unread, ...notes]);
}

function has({ put, later }: Carried, name: Optional): boolean {
  return put[name] !== undefined || (name === 'lock' ? later?.legalHold : later?.[name]) !== undefined;
}

function lessened(
  { put, later, fidelity }: Carried,
  names: readonly Optional[],
  notes: readonly AttributeNote[],
): Carried {
  const gone = Object.fromEntries(names.map((name) => [name, undefined]));
  const { kept = [], mapped = [], lost = [] } = fidelity ?? {};
  const isGone = (attribute: AttributeName) => notes.some((note) => note.attribute === attribute);
  return {
    put: { ...put, ...gone },
    later: later && { ...later, ...gone, ...(names.includes('lock') && { legalHold: undefined }) },
    fidelity: {
      kept: kept.filter((name) => !isGone(name)),
      mapped: mapped.filter(({ attribute }) => !isGone(attribute)),
      lost: [...lost, ...notes],
    },
  };
}

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
  write: (put: PutAttributes) => Promise<T>,
): Promise<Written<T>> {
  try {
    return { answer: await write(carried.put), carried };
  } catch (error) {
    if (isRefusedClass(ticket, error)) return writeWithoutClass(ticket, carried, error, write);
    if (!mayRefuse(carried, error)) throw error;
    const named = OPTIONAL.find((name) => name === error.attribute);
    const reason = `refused: ${saidBy(error)}`;
    for (const names of named ? [[named]] : subsets(sentIn(carried))) {
      const notes = names.map((attribute) => ({ attribute, reason }));
      const less = judged(ticket.key, ticket.carry ?? USUAL_POLICY, lessened(carried, names, notes));
      const answer = await unlessRefused(write(less.put));
      if (answer === undefined) continue;
      for (const name of names) means.refusals.set(name, reason);
      return { answer: answer.value, carried: less };
    }
    throw error;
  }
}

/** Of one object, whose class was carried over. One class for all is wrong for all. */
function isRefusedClass({ carry }: Planned, error: unknown): error is XsyncError {
  return isXsyncError(error) && error.attribute === 'storage-class' && isCarriedClass(carry?.storageClass);
}

async function writeWithoutClass<T>(
  ticket: Planned,
  carried: Carried,
  error: XsyncError,
  write: (put: PutAttributes) => Promise<T>,
): Promise<Written<T>> {
  const put = { ...carried.put, storageClass: undefined };
  const notes = [{ attribute: 'storage-class' as const, reason: `refused: ${saidBy(error)}` }];
  const less = judged(ticket.key, ticket.carry ?? USUAL_POLICY, lessened({ ...carried, put }, [], notes));
  return { answer: await write(less.put), carried: less };
}

/** Without the name of the object, because others are refused for the same reason. */
function saidBy({ message, subject }: XsyncError): string {
  const name = `${subject}: `;
  return message.startsWith(name) ? message.slice(name.length) : message;
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
  const { tags } = carried.put;
  if (tags === undefined || !attributes.tags?.onlyInPuts) return carried;
  return { ...carried, put: { ...carried.put, tags: undefined }, later: { ...carried.later, tags } };
}

/** Sets what the write could not carry. */
export async function writeLater(
  { dest, halt }: Given,
  ticket: Pick<CopyTicket, 'dest'>,
  { later }: Carried,
): Promise<void> {
  if (!later) return;
  const { key } = ticket.dest;
  const { signal } = halt;
  if (later.tags) await dest.putTags(key, later.tags, { signal });
  if (later.acl !== undefined) await dest.putAcl(key, later.acl, { signal });
  if (later.legalHold) await dest.putLock(key, { legalHold: true }, { signal });
}
