/** The limits of all rules together, from the flags. Tests: test/e2e/rules.test.ts */
import { bandwidthAt } from '../engine/job/bandwidth.js';
import type { NetworkLimits } from '../open/network.js';
import type { SharedFlags } from './options.js';

export function networkLimits({
  maxConnections,
  maxMemory,
  bwlimit,
  tpslimit,
  tpslimitBurst,
}: SharedFlags): NetworkLimits {
  return {
    connections: maxConnections,
    memory: typeof maxMemory === 'number' ? maxMemory : Number.MAX_SAFE_INTEGER,
    requestsPerSecond: tpslimit,
    burst: tpslimitBurst,
    ...(bwlimit && { up: (now) => bandwidthAt(bwlimit, now).up, down: (now) => bandwidthAt(bwlimit, now).down }),
  };
}
