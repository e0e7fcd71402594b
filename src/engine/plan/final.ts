/**
 * Plans an object when it starts, with what is known only then. The performer does what the ticket says.
 * Tests: test/engine/transfer/source-cut.test.ts
 */
import type { Checkpoints } from '../../manifest/checkpoints.js';
import { toXsyncError, XsyncError } from '../../model/error.js';
import type { Outcome } from '../../model/outcome.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { ObjectCatalog } from '../../store/port.js';
import { endsRun } from '../flow/halt.js';
import { guessSourceCut } from './cut.js';
import { faultOf } from './fault.js';
import { planCopy, type Route, type Subject } from './plan.js';

type Failed = Extract<Outcome, { kind: 'failed' }>;

/** What the planning of all objects of a run shares. */
export interface Planning {
  source: ObjectCatalog;
  checkpoints: Checkpoints;
  /** `partSize`: the tuner's, bytes; undefined until it has one. */
  slots: { readonly partSize: number | undefined };
  /** Send no request if the source's cut can be guessed. */
  dryRun: boolean;
  signal: AbortSignal;
}

/**
 * The final ticket. Its cut takes into account an unfinished upload of the object, the tuner's part size, and how the
 * source was cut: one HEAD, for multipart objects with a composite ETag.
 * @param route with the remaining attempts
 * @returns an outcome if that HEAD failed, or a part would be larger than the memory
 * @throws faults that end the run; any error once the signal is aborted
 */
export async function finalTicket(planning: Planning, route: Route, subject: Subject): Promise<CopyTicket | Failed> {
  const draft = planCopy(route, subject);
  const ticket = draft.way !== 'client' ? draft : await cutFinally(planning, route, subject, draft);
  if ('kind' in ticket || ticket.way !== 'client') return ticket;
  const largest = Math.min(ticket.cut.partSize, subject.size);
  if (route.most === undefined || largest <= route.most) return ticket;
  const fault = new XsyncError('limit', `it needs parts of ${largest} bytes, which is more than --max-memory`, {
    class: 'person',
    subject: subject.key,
    remedy: 'Raise --max-memory.',
  });
  return { kind: 'failed', fault: faultOf(fault), attempts: 0 };
}

async function cutFinally(
  planning: Planning,
  route: Route,
  subject: Subject,
  draft: CopyTicket,
): Promise<CopyTicket | Failed> {
  const { checkpoints, signal } = planning;
  const row = await checkpoints.upload(subject.key);
  const checkpoint = row && (await checkpoints.parts(subject.key)).length > 0 ? row : undefined;
  // An object that fits into one request stays in one.
  if (!checkpoint && draft.cut.parts === 1) return draft;
  const tuned = draft.cut.parts > 1 ? planning.slots.partSize : undefined;
  const ticket = planCopy(route, subject, { checkpoint, tuned });
  const { size, md5ofParts } = subject;
  if (ticket.cut.parts === 1 || md5ofParts === undefined) return ticket;
  if (planning.dryRun && guessSourceCut(size, md5ofParts) !== undefined) return ticket;
  for (let attempts = 1; ; attempts++) {
    try {
      const partSize = await sourcePartSize(planning.source, ticket.source, signal);
      return planCopy(route, subject, { checkpoint, tuned, sourcePartSize: partSize });
    } catch (error) {
      const fault = toXsyncError(error);
      if (signal.aborted || endsRun(fault)) throw fault;
      // The performer meets a missing or replaced version too, and handles it.
      if (fault.code === 'precondition-failed' || fault.code === 'object-not-found') return ticket;
      if (fault.class === 'temporary' && attempts < route.attempts) continue;
      return { kind: 'failed', fault: faultOf(fault), attempts };
    }
  }
}

/**
 * The part size that the source was uploaded with; undefined if the store does not return it, or the parts differ in
 * size. One HEAD, and only for objects with a composite ETag.
 * @throws what HEAD throws; precondition-failed if the source has another version
 */
export async function sourcePartSize(
  source: ObjectCatalog,
  { key, etag, versionId, size, md5ofParts }: CopyTicket['source'],
  signal: AbortSignal,
): Promise<number | undefined> {
  if (md5ofParts === undefined) return undefined;
  const first = await source.firstPartSize(key, { ifMatch: etag, versionId, signal });
  return first && Math.ceil(size / first) === partsOf(md5ofParts) ? first : undefined;
}

function partsOf(md5ofParts: string): number {
  return Number(md5ofParts.slice(md5ofParts.indexOf('-') + 1));
}
