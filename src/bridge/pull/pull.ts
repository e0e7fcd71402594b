/** The pulling end of a bridge: receives tickets, and performs them. Tests: test/e2e/bridge.test.ts */

import type { RunEvent } from '../../engine/events.js';
import type { CopyJob, SyncJob } from '../../engine/job/job.js';
import { type ListenAddress, urlOf } from '../../inbound/address.js';
import type { Fault } from '../../manifest/queues.js';
import type { Backlog } from '../../model/backlog.js';
import { XsyncError } from '../../model/error.js';
import { openPulling } from '../../open/pull.js';
import type { HttpTransport } from '../../store/http/transport.js';
import type { UrlStore } from '../../store/urls/store.js';
import type { Identity } from '../identity.js';
import { callbackOf, operationOf } from '../ticket.js';
import type { TellTrouble } from '../troubles.js';
import { Audit } from './audit.js';
import { Book, type Trust } from './book.js';
import { Callbacks } from './callbacks.js';
import { toldOf } from './fidelity.js';
import { Performer } from './performer.js';
import { Relayed, refuseOwnDisk } from './relay.js';
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
  /** It is a relay: its host is neither side's. */
  relays?: boolean;
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
  /** Lets other programs watch this end. */
  observe(backlog: () => Promise<Backlog>): Promise<BridgeObserver>;
}

export interface BridgeObserver {
  gaveUp(ticket: GivenUp): void;
  /** Something holds up tickets, or no longer (undefined). */
  trouble: TellTrouble;
  close(): Promise<void>;
}

export interface GivenUp {
  key: string;
  size?: number;
  operation: 'copy' | 'delete';
  attempts?: number;
  fault: Fault;
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
  let callbacks: Callbacks | undefined;
  const make = (transport: HttpTransport): UrlStore => {
    const trouble = (message: string): void => means.trouble(message);
    callbacks = new Callbacks({ transport, secret: () => identity.secrets[0], trouble });
    return book.store(transport);
  };
  const pulling = await openPulling(job.source, job, { ...means, guard: book.guard, make });
  const relayed = options.relays ? new Relayed() : undefined;
  const audit = new Audit(options.auditLog, (text) => means.trouble(text));
  const { queue, run, checkKey, backlog } = pulling;
  let observer: BridgeObserver | undefined;
  const performer = new Performer({
    ...{ queue, book, run, attempts },
    report: (event) => {
      relayed?.hear(event);
      means.report(event);
    },
    trouble(message, fault) {
      observer?.trouble(message, fault);
      if (message === undefined) means.say('well again');
      else means.trouble(message);
    },
    settled: (key, { id, state, fault, verifiedBy }, body) => {
      audit.note({ event: state, id, key, verifiedBy, code: fault?.code, message: fault?.message });
      const url = callbackOf(body);
      if (url !== undefined) callbacks?.tell(url, toldOf({ id, key, state, fault }));
      if (state === 'dead' && fault) observer?.gaveUp({ key, operation: operationOf(body), fault });
    },
  });
  const deletes = job.mode === 'sync';
  const server = new PullServer({
    ...{ queue, identity, trust, limit, rate, checkKey, deletes, audit, versions: job.versions === true },
    taken: () => performer.ring(),
  });
  try {
    if (relayed) refuseOwnDisk(job.destination, pulling);
    observer = await means.observe(backlog);
    const at = await server.start(options.listen);
    for (const warning of pulling.warnings) means.trouble(warning);
    means.say(
      `receiving tickets at ${urlOf(at, identity.tls && 'https')}, ${relayed ? 'relaying' : 'copying'} to ${job.destination}`,
    );
    await performer.follow(means.drain);
    if (relayed) means.say(relayed.text);
  } finally {
    callbacks?.close();
    await server.close();
    await observer?.close();
    await pulling.close();
    audit.close();
  }
}
