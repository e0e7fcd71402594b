/** The settings for opening places, and the opened sides and pairs. Tests: test/open/filter-of.test.ts */
import type { ConfiguredLocation } from '../config/location.js';
import type { Filter } from '../engine/filter/filter.js';
import type { RunPair, RunSide } from '../engine/pair.js';
import type { Encryption } from '../model/encryption.js';
import type { BucketEntry, Opened } from '../store/backend.js';
import type { CongestionSetting } from '../store/http/congestion.js';
import type { Connection } from '../store/http/connection.js';
import type { ConnectionFlags } from '../store/http/settings.js';
import type { Following, LinkMode } from './links.js';
import type { Network } from './network.js';

/** Bytes per second in each direction at an instant (ms since 1970); absent: no limit. */
export type BandwidthSchedule = (nowMs: number) => { up?: number; down?: number };

export interface OpenSettings extends ConnectionFlags {
  /** Config file; default: the usual places. */
  config?: string;
  /** Manifest file; default: one per pair in the state directory. */
  manifest?: string;
  /** `lean`: our own HTTP client. `sdk`: the vendors' SDKs, for comparison. */
  transport: 'lean' | 'sdk';
  /** Attempts per request. */
  lowLevelRetries: number;
  /** Idle timeout of a connection, ms. 0: the transport's default. */
  timeoutMs: number;
  contimeoutMs: number;
  /** Maximum number of connections per server. */
  connections: number;
  tpslimit?: number;
  tpslimitBurst?: number;
  bandwidth?: BandwidthSchedule;
  /** Congestion control of the lean transport's connections; default: `auto`. */
  congestion?: CongestionSetting;
  /** Overrides the setting of the remotes. */
  accelerate?: 'auto' | 'off';
  /** Of what is written; overrides the setting of the remotes. */
  encryption?: Encryption;
  /** What a pair does with symbolic links; `auto` when absent. */
  links?: LinkMode;
  /** Follow symbolic links on local disk even if the remotes do not. */
  copyLinks?: boolean;
  /** `--storage-class`, to be checked against what the destination has. */
  storageClass?: string;
  /** Address of the queue whose workers move the objects. */
  queue?: string;
  /** As it was given; see `encryption`. */
  sse?: string;
  /** Threads that move the objects; 1: this one. */
  workers?: number | 'auto';
  /** On local disk; override the setting of the remotes. */
  localXattrs?: boolean;
  localPermissions?: 'none' | 'mode' | 'owner' | 'all';
  /** Of file names on local disk; overrides the setting of the remotes. */
  localEncoding?: string;
  /** Hosts to which a redirect of a URL may lead. */
  allowHost?: readonly string[];
  /** Hosts of URLs that may have private addresses. */
  allowPrivate?: readonly string[];
  /** Of the process, if its pairs share one. */
  network?: Network;
  env: NodeJS.ProcessEnv;
}

export interface OpenSide extends RunSide {
  bucket: string;
  /** The same as it was typed: for local disk, a path whose links may lead elsewhere tomorrow. */
  givenAs: string;
  /** Key or prefix below the bucket as typed; for local disk empty or the file's name. */
  path: string;
  /** A fingerprint of the side's configuration, including its credentials. */
  settings: string;
  /** What `accelerate: auto` chose and why, starting with `on` or `off`; absent when there was no choice. */
  acceleration?: string;
  /** Links of the source are replaced by what they point to, in other threads too. */
  follows?: Following;
  /** What another thread opens to use the same store; absent if it cannot. */
  again?: ConfiguredLocation;
  refuseUnwritable?: Opened['refuseUnwritable'];
  refuseUnreadable?: Opened['refuseUnreadable'];
  /** Proxy and certificates of its servers; absent for local disk. */
  connection?: Connection;
  close(): Promise<void>;
}

/** A remote as a whole. */
export interface OpenAccount {
  buckets(): AsyncGenerator<BucketEntry[], void, void>;
  close(): Promise<void>;
}

export interface OpenPair extends RunPair {
  source: OpenSide;
  dest: OpenSide;
  /** The place for overwritten and deleted objects, if one was named. */
  aside?: OpenSide;
  /** The places of --compare-dest or --copy-dest. */
  others?: readonly OpenSide[];
  /** The keys of the list that was named. */
  listed?: Filter;
  close(): Promise<void>;
}
