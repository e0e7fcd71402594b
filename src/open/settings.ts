/** What is needed to open places, and what comes of it. */
import type { RunPair, RunSide } from '../engine/pair.js';
import type { CongestionSetting } from '../store/http/congestion.js';

/** Bytes per second in each direction at an instant (ms since 1970); absent: no limit. */
export type BandwidthSchedule = (nowMs: number) => { up?: number; down?: number };

export interface OpenSettings {
  /** Config file; the usual places when absent. */
  config?: string;
  /** Manifest file; one per pair in the state directory when absent. */
  manifest?: string;
  /** `lean`: our own HTTP client. `sdk`: the vendors' SDKs, as a second opinion. */
  transport: 'lean' | 'sdk';
  /** Attempts of one request. */
  lowLevelRetries: number;
  /** No byte either way for so long is a fault, in ms. 0: the transport's default. */
  timeoutMs: number;
  contimeoutMs: number;
  /** Connections per server, at most. */
  connections: number;
  tpslimit?: number;
  tpslimitBurst?: number;
  bandwidth?: BandwidthSchedule;
  /** Congestion control of the lean transport's connections; `auto` when absent. */
  congestion?: CongestionSetting;
  /** In place of what the remotes' configs say. */
  accelerate?: 'auto' | 'off';
  copyLinks: boolean;
  env: NodeJS.ProcessEnv;
}

export interface OpenSide extends RunSide {
  bucket: string;
  /** Key or prefix below the bucket as typed; for local disk empty or the file's name. */
  path: string;
  /** Names how the side was configured, its credentials included, without telling. */
  settings: string;
  /** What `accelerate: auto` chose and why, starting with `on` or `off`; absent when it had nothing to choose. */
  acceleration?: string;
  /** Asked before a run writes anything, where that is known early. @throws not-writable, usage */
  refuseUnwritable?(): Promise<void>;
  close(): Promise<void>;
}

export interface OpenPair extends RunPair {
  source: OpenSide;
  dest: OpenSide;
  /** The place for what is overwritten or deleted, when one was named. */
  aside?: OpenSide;
  close(): Promise<void>;
}
