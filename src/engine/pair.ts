/** The two sides that a run works on. */
import type { Manifest } from '../manifest/port.js';
import type { Prices } from '../model/prices.js';
import type { ObjectStore } from '../store/port.js';
import type { RetryNotice, StoreView } from '../store/wrap/share.js';
import type { RunEvent, Traffic } from './events.js';

/** One side of a pair: a (wrapped) store and the prefix below which the pair lives. */
export interface RunSide {
  store: ObjectStore;
  /** Empty or ending in `/`; for a single object its full key. */
  prefix: string;
  /** What the person typed, for messages. */
  text: string;
  /** What was found out when it was opened, for the run to report (which endpoint was chosen, and why). */
  notes: readonly string[];
  /** What this side has cost since it was opened. */
  traffic(): Traffic;
  /** What the service charges, and whether the bytes go through its acceleration. */
  prices?: Prices;
  accelerated?: boolean;
  /** The same store for one run: retries and traffic are those of that run alone. */
  view(onRetry: (event: RetryNotice) => void): StoreView;
}

/** Where what sync or copy overwrites or deletes is kept. */
export interface Backup {
  /** May be the destination itself, when the suffix tells the two apart. */
  side: RunSide;
  suffix: string;
  /** The suffix goes before the name's extension. */
  keepExtension: boolean;
}

/** What a run works on. */
export interface RunPair {
  source: RunSide;
  dest: RunSide;
  manifest: Manifest;
  /** Names how both sides were configured, without telling: what a person has to mend may be mended by other settings. */
  settings: string;
  /** One object to one object: both prefixes are full keys, and the key relative to them is empty. */
  single: boolean;
  backup?: Backup;
}

/** The pair as one run sees it: what its calls meet and cost is that run's alone. */
export function viewFor(pair: RunPair, hear: (event: Extract<RunEvent, { type: 'retry' }>) => void): RunPair {
  const source = viewOf(pair.source, (event) => hear({ type: 'retry', side: 'source', ...event }));
  const toDestination = (event: RetryNotice) => hear({ type: 'retry', side: 'destination', ...event });
  const dest = viewOf(pair.dest, toDestination);
  const { backup } = pair;
  if (!backup) return { ...pair, source, dest };
  const side = backup.side === pair.dest ? dest : viewOf(backup.side, toDestination);
  return { ...pair, source, dest, backup: { ...backup, side } };
}

function viewOf(side: RunSide, onRetry: (event: RetryNotice) => void): RunSide {
  return { ...side, ...side.view(onRetry) };
}
