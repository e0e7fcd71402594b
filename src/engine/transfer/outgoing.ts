/**
 * What is sent to the destination besides the bytes: asks for what costs a request, and carries it over, without what the
 * destination has refused in this run (see attribute-writes.ts).
 * Tests: test/engine/transfer/outgoing.test.ts
 */
import type { AttributeName, AttributeNote } from '../../model/attributes.js';
import { type CarryPolicy, USUAL_POLICY } from '../../model/carry-policy.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { CallOptions } from '../../store/port.js';
import { type Attributes, type Carried, carry } from '../fidelity/carry.js';
import { originIn } from '../plan/plan.js';
import { type Means, OPTIONAL, type Optional } from './means.js';

export type Given = Pick<Means, 'source' | 'dest' | 'halt' | 'refusals'>;
export type Planned = Pick<CopyTicket, 'key' | 'source' | 'carry'> & {
  dest?: CopyTicket['dest'];
  serviceCopiesTags?: boolean;
  /** A link is copied as one; `outside`: its target is not copied with it. */
  link?: { outside?: string };
};

/**
 * Sends no request unless the policy has tags or ACLs.
 * @throws attributes-lost: the object would lose something, and `--fidelity` is strict
 */
export function outgoing(means: Given, ticket: Planned, info: ObjectInfo): Carried | Promise<Carried> {
  const { source, dest } = means;
  const policy = ticket.carry ?? USUAL_POLICY;
  const finish = (object: Attributes, unread: readonly AttributeNote[]): Carried => {
    const { serviceCopiesTags, link } = ticket;
    const { versionName } = ticket.dest ?? {};
    const version =
      versionName === undefined ? undefined : { name: versionName, origin: originIn(source, ticket.source.key) };
    const special = serviceCopiesTags !== undefined || version !== undefined || link !== undefined;
    const how = special ? { ...policy, serviceCopiesTags, version, link } : policy;
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

/** Without the name of the object, because others are refused for the same reason. */
export function saidBy({ message, subject }: XsyncError): string {
  const name = `${subject}: `;
  return message.startsWith(name) ? message.slice(name.length) : message;
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

/**
 * @param written the object stands at the destination already
 * @throws attributes-lost
 */
export function judged(key: string, { fidelity: level }: CarryPolicy, carried: Carried, written = false): Carried {
  if (level === 'ignore') return { ...carried, fidelity: undefined };
  const lost = carried.fidelity?.lost ?? [];
  if (lost.length === 0 || level !== 'strict') return carried;
  const what = lost.map(({ attribute, reason }) => `${attribute}: ${reason}`).join('; ');
  const how = written ? 'copied, but it lost attributes' : 'not copied, because it would lose attributes';
  throw new XsyncError('attributes-lost', `${how}: ${what}`, {
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
  return put[name] !== undefined || (name !== 'redirect' && later?.[name] !== undefined);
}

export function lessened(
  { put, later, fidelity }: Carried,
  names: readonly Optional[],
  notes: readonly AttributeNote[],
): Carried {
  const gone = Object.fromEntries(names.map((name) => [name, undefined]));
  const { kept = [], mapped = [], lost = [] } = fidelity ?? {};
  const isGone = (attribute: AttributeName) => notes.some((note) => note.attribute === attribute);
  return {
    put: { ...put, ...gone },
    later: later && { ...later, ...gone },
    fidelity: {
      kept: kept.filter((name) => !isGone(name)),
      mapped: mapped.filter(({ attribute }) => !isGone(attribute)),
      lost: [...lost, ...notes],
    },
  };
}
