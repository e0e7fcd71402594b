/** Starts a worker: the queue, and what its jobs share. Tests: test/e2e/queue.redis.ts */
import { hostname } from 'node:os';
import { MemoryBudget } from '../engine/flow/budget.js';
import { Slots } from '../engine/transfer/slots.js';
import { affordableConnections } from '../engine/tune/bounds.js';
import { Pilot } from '../engine/tune/pilot.js';
import { openFilesLimit } from '../native/proc.js';
import type { ObjectStore } from '../store/port.js';
import { parseQueue } from './address.js';
import { type Client, type ConnectOptions, connectRedis } from './connect.js';
import type { FarSides } from './job-run.js';
import type { JobData, Terms } from './messages.js';
import { Pairs } from './pairs.js';
import { Station } from './station.js';
import { paced, type RateCount, Tokens } from './tokens.js';

export interface WorkOptions {
  queue: string;
  /** By default the host's name and the process's ID. */
  name?: string;
  transfers?: number;
  partConcurrency?: number;
  connections: number;
  /** Bytes for data in flight. */
  memory: number;
  connecting: ConnectOptions;
  open(terms: Terms): Promise<FarSides>;
  tell(message: string): void;
  warn(message: string): void;
}

export interface Working {
  station: Station;
  close(): Promise<void>;
}

const MIB = 2 ** 20;

/** @throws usage, unreachable, bad-credentials, config */
export async function work(options: WorkOptions): Promise<Working> {
  const address = parseQueue(options.queue);
  const redis = await connectRedis(address, options.connecting);
  const { transfers, partConcurrency, memory, name = `${hostname()}-${process.pid}` } = options;
  const slots = new Slots({ transfers, partConcurrency });
  const pilot = pilotOf(slots, options);
  const station = new Station({
    ...{ redis, name, slots, lanes: slots.lanes(), budget: new MemoryBudget(memory) },
    pairs: new Pairs((terms) => options.open(terms)),
    paced: pacing(redis),
    busy: (isBusy) => (isBusy ? pilot?.start() : pilot?.land()),
    warn: options.warn,
  });
  options.tell(`worker ${name} takes jobs from ${address.text}`);
  const close = async (): Promise<void> => {
    await station.close();
    redis.disconnect();
  };
  return { station, close };
}

/** Finds how much to have in flight, unless that is fixed. */
function pilotOf(slots: Slots, { connections, memory }: WorkOptions): Pilot | undefined {
  if (!slots.tunesParts && !slots.tunesObjects) return undefined;
  const limits = {
    connections: affordableConnections(connections, openFilesLimit()),
    ...{ operations: undefined, memory, leastPartSize: 5 * MIB, partSize: undefined },
  };
  const forgetful = { getFact: () => undefined, setFact: () => undefined };
  return new Pilot({ slots, watches: [], limits, manifest: forgetful, emit: () => undefined });
}

/** The limits that coordinators set, one count a store. */
function pacing(redis: Client): (store: ObjectStore, data: JobData) => ObjectStore {
  const all = new Map<string, Tokens>();
  const count = countIn(redis);
  return (store, { terms: { tpslimit: perSecond } }) => {
    if (perSecond === undefined || store.capabilities.local) return store;
    const { kind, endpoint, bucket } = store.identity;
    const name = `${kind} ${endpoint} ${bucket}`;
    const tokens = all.get(`${perSecond} ${name}`) ?? new Tokens(count, { store: name, perSecond });
    all.set(`${perSecond} ${name}`, tokens);
    return paced(store, tokens);
  };
}

/** A second begins with the first request in it. */
function countIn(redis: Client): RateCount {
  return {
    async add(name, requests) {
      const answers = await redis.multi().set(name, 0, 'PX', 1000, 'NX').incrby(name, requests).pttl(name).exec();
      const [, sum, left] = answers ?? [];
      return { sum: Number(sum?.[1]), leftMs: Number(left?.[1]) };
    },
  };
}
