/** The pulling end of a bridge: receives tickets, and performs them. Tests: test/e2e/bridge.test.ts */
import type { RunEvent } from '../../engine/events.js';
import type { CopyJob, SyncJob } from '../../engine/job/job.js';
import { type ListenAddress, urlOf } from '../../inbound/address.js';
import { XsyncError } from '../../model/error.js';
import { openPulling } from '../../open/pull.js';
import type { Identity } from '../identity.js';
import { Audit } from './audit.js';
import { Book, type Trust } from './book.js';
import { Performer } from './performer.js';
import { PullServer } from './server.js';

export interface PullOptions {
  /** What is written where, and how. A sync deletes what tickets say is gone. */
  job: CopyJob | SyncJob;
  listen: ListenAddress;
  identity: Identity;
  trust: Trust;
  /** Most tickets that wait. */
  limit: number;
  /** Most tickets a second of one pushing end. */
  rate?: number;
  attempts: number;
  auditLog?: string;
}

export interface ServiceMeans {
  env: NodeJS.ProcessEnv;
  /** Aborted when nothing new should start. */
  drain: AbortSignal;
  /** Aborted when what is in flight should be checkpointed. */
  stop: AbortSignal;
  say(text: string): void;
  trouble(text: string): void;
  report(event: RunEvent): void;
}

/** Until drained. @throws usage, config, locked */
export async function runPull(options: PullOptions, means: ServiceMeans): Promise<void> {
  const { job, trust, limit, rate, identity, attempts } = options;
  if (trust.allowHost.length === 0) {
    throw new XsyncError('usage', 'a bridge pulls only from hosts that it is told to trust', {
      subject: '--allow-host',
      remedy: 'Name the hosts of the presigned URLs, such as --allow-host "*.s3.us-east-1.amazonaws.com".',
    });
  }
  const book = new Book(job.source, trust);
  const pulling = await openPulling(job.source, job, { ...means, guard: book.guard, make: book.store });
  const audit = new Audit(options.auditLog, (text) => means.trouble(text));
  const { queue, run, checkKey } = pulling;
  const performer = new Performer({
    ...{ queue, book, run, attempts, report: means.report },
    trouble: (message) => (message === undefined ? means.say('well again') : means.trouble(message)),
    settled: (key, { id, state, fault }) =>
      audit.note({ event: state, id, key, code: fault?.code, message: fault?.message }),
  });
  const deletes = job.mode === 'sync';
  const server = new PullServer({
    ...{ queue, identity, trust, limit, rate, checkKey, deletes, audit },
    taken: () => performer.ring(),
  });
  try {
    const at = await server.start(options.listen);
    means.say(`receiving tickets at ${urlOf(at, identity.tls && 'https')}, copying to ${job.destination}`);
    await performer.follow(means.drain);
  } finally {
    await server.close();
    await pulling.close();
    audit.close();
  }
}
