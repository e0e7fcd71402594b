/**
 * The names in Redis. The braces put all of them on one node of a cluster, as BullMQ needs it.
 * Tests: test/e2e/queue.redis.ts
 */
export const PREFIX = '{xsync}';
/** BullMQ's queue. */
export const QUEUE = 'tickets';

/** A list: jobs that no worker has taken. */
export const WAITING = `${PREFIX}:${QUEUE}:wait`;

/** A coordinator that has not come back by then is gone for good. */
export const KEPT_S = 7 * 24 * 3600;

/** A coordinator that has not been heard for so long no longer wants its jobs done, s. */
export const WANTED_S = 600;

export const keys = {
  /** The coordinator that has the pair; expires. */
  owner: (pair: string) => `${PREFIX}:owner:${pair}`,
  /** There while the pair's coordinator is, and `WANTED_S` longer. */
  wanted: (pair: string) => `${PREFIX}:wanted:${pair}`,
  /** A set: jobs of the pair whose results have not been recorded. */
  jobs: (pair: string) => `${PREFIX}:jobs:${pair}`,
  /** A hash: results of the job by `fieldOf`. */
  done: (job: string) => `${PREFIX}:done:${job}`,
  /** A hash: the unfinished upload of a work. */
  upload: (job: string, work: number) => `${PREFIX}:upload:${job}:${work}`,
  /** How the pair's run is stopped: a `StopLevel`. */
  stop: (pair: string) => `${PREFIX}:stop:${pair}`,
  /** A channel: `News`. */
  news: (pair: string) => `${PREFIX}:news:${pair}`,
  /** A set: names of workers. */
  workers: () => `${PREFIX}:workers`,
  /** `Presence`; expires. */
  worker: (name: string) => `${PREFIX}:worker:${name}`,
  /** Requests to a store in the current second. */
  rate: (store: string) => `${PREFIX}:rate:${store}`,
};
