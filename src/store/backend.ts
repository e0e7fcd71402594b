/**
 * A backend is one kind of store. Each backend describes itself in `backend.ts` of its folder, and `registry.ts` lists
 * them all. Config, opening and doctor use only this interface.
 * Tests: test/store/registry.test.ts
 */
import type * as z from 'zod';
import type { Encryption } from '../model/encryption.js';
import type { Prices } from '../model/prices.js';
import type { Spool } from '../model/spool.js';
import type { AddressGuard } from './http/address-guard.js';
import type { Agents } from './http/agents.js';
import type { ConnectionSettings } from './http/settings.js';
import type { HttpTransport } from './http/transport.js';
import type { IniSection } from './ini.js';
import type { ObjectStore } from './port.js';

/** A validated remote with defaults filled in. Only its backend knows the settings other than `type`. */
export interface RemoteConfig {
  readonly type: string;
  readonly [setting: string]: unknown;
}

type RemoteShape = Readonly<Record<string, z.ZodType>> & { readonly type: z.ZodLiteral<string> };

/**
 * `R` is the output of the schema. The functions are declared as methods so that backends with different remotes fit
 * into one list. A backend receives only remotes of its own type.
 */
export interface Backend<R extends RemoteConfig = RemoteConfig> {
  /** The `type` of its remotes and the `StoreIdentity.kind` of its stores. */
  readonly type: string;
  /** Settings of other services that this one does not have, with what to do instead. */
  readonly lacks?: Readonly<Record<string, string>>;
  /** Schema of a remote in the config. */
  readonly schema: z.ZodObject<RemoteShape, z.core.$strict> & z.ZodType<R>;
  /** `NAME` if `NAME://bucket/prefix` is a location. */
  readonly scheme?: string;
  /** The bucket at the start of `bucket/prefix`, if it can contain a slash; default: up to the first slash. */
  bucketIn?(location: string): string;
  /** Locations are paths on this host instead of buckets with prefixes. A bare path is such a location. */
  readonly paths?: true;
  /** Settings of the remote that a scheme or a bare path uses when the config has no remote of that name. */
  readonly implied?: Readonly<Record<string, unknown>>;

  /**
   * Opens a store. Imports its adapter here, not at the top of the module, so that a local copy loads no HTTP or SDK.
   * @throws config, not-readable, not-writable
   */
  open(remote: R, place: OpenTarget, resources: Resources): Promise<Opened>;

  /**
   * Lists the buckets that the remote's credentials can see, page by page. Absent: the remote has no buckets.
   * @throws as `open`
   */
  buckets?(remote: R, name: string, resources: Resources): Promise<BucketPages>;

  /** Converts remotes from an rclone.conf. */
  readonly rclone?: RcloneRules;
  /** Converts remotes from the config of a tool of the service's own. */
  readonly foreign?: ForeignRules;
  /** Present for network services. */
  readonly doctor?: DoctorRules<R>;
}

export interface BucketEntry {
  name: string;
  /** ms since 1970; absent if the service does not say. */
  createdMs?: number;
}

/** One page; `token` is the `nextToken` of the page before. One request. */
export type BucketPages = (token: string | undefined) => Promise<{ buckets: BucketEntry[]; nextToken?: string }>;

/** The location to open. */
export interface OpenTarget {
  /** The remote's name. */
  remote: string;
  /** Bucket, or absolute path. */
  bucket: string;
  /** Name of the bucket in messages. */
  label: string;
  /** Treat a path that does not exist as a file instead of a directory. */
  asFile: boolean;
  /** The path ends in a slash: it must be a directory if it exists. */
  asFolder: boolean;
}

/** What a command provides to its stores. */
export interface Resources {
  /** `lean`: through the transport of a connection. `sdk`: through the vendor's SDK. */
  transport: 'lean' | 'sdk';
  /**
   * Reads the remote's proxy and certificates, and those of the command line.
   * @throws config: for a file or an address that cannot be used
   */
  connect(settings: ConnectionSettings): Promise<StoreConnection>;
  /** A table that only this user can read. It is gone when the process ends, however it ends. */
  spool(): Promise<Spool>;
  /** Used by the SDKs; their defaults when absent. */
  connectTimeoutMs?: number;
  idleTimeoutMs?: number;
  /** Overrides the setting of the remote. */
  accelerate?: 'auto' | 'off';
  /** Of what is written; overrides the setting of the remote. Absent for a side that is only read. */
  encryption?: Encryption;
  /** Whether to follow symbolic links on local disk; overrides the setting of the remote. */
  copyLinks?: boolean;
  /** Keep metadata in extended attributes on local disk; overrides the setting of the remote. */
  localXattrs?: boolean;
  /** Which permissions on local disk are metadata; overrides the setting of the remote. */
  localPermissions?: 'mode' | 'owner' | 'all';
  /** Encoding of file names on local disk; overrides the setting of the remote. */
  localEncoding?: string;
  /** Hosts to which a redirect of a URL may lead, and those that may have private addresses. */
  allowHost?: readonly string[];
  allowPrivate?: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Hears what is found out about the store while it is used, each finding once. */
  tell?(message: string): void;
}

/** How one store reaches its servers. The opener of the store closes what was made. */
export interface StoreConnection {
  /** A transport for this store alone. @param guard which addresses it may connect to; absent: all */
  http(guard?: AddressGuard): Promise<HttpTransport>;
  /** Agents for SDKs, with the same proxies and certificates. */
  agents(): Promise<Agents>;
}

export interface Opened {
  store: ObjectStore;
  /** Key of the object if a path names a file, otherwise empty; absent when the location already determines it. */
  path?: string;
  /** The bucket under the name that was given, if the store's identity has it resolved: a path with its links. */
  givenAs?: string;
  /** What `accelerate: auto` chose and why, starting with `on` or `off`; absent when there was no choice. */
  acceleration?: string;
  /** Transfers use transfer acceleration. */
  accelerated?: boolean;
  /** What a file that the remote names holds, if the remote is another one without it. Secret. */
  key?: string;
  /** Prices from the remote's configuration. */
  prices?: Prices;
  /**
   * What another thread opens to use the same store, with every choice made. Absent: the store is in the memory of this
   * thread.
   */
  again?: { remote: RemoteConfig; bucket: string };
  /**
   * Checks early, before a run writes anything, that the store is writable.
   * @param tries whether something may be created, and removed again. @throws not-writable, usage
   */
  refuseUnwritable?(tries: boolean): Promise<void>;
  /** Checks early that what the store keeps of its objects is readable. @throws not-readable */
  refuseUnreadable?(): Promise<void>;
}

/** Settings in one section of an rclone.conf. */
export type RcloneSection = ReadonlyMap<string, string>;

export interface RcloneRules {
  /** The remote type in rclone. */
  readonly type: string;
  /** Whether a remote of that type belongs to this backend. Absent: it takes those that no other backend owns. */
  owns?(section: RcloneSection): boolean;
  /** The settings under their xsync names, or why the remote cannot be converted. Unknown settings are dropped. */
  settings(section: RcloneSection): Readonly<Record<string, string>> | string;
  /** What the user must know if the remote takes its credentials from the environment. */
  readonly environmentNote?: string;
}

export interface ForeignRules {
  /** Whether the text of a config file is that tool's. */
  owns(text: string): boolean;
  remotes(sections: readonly IniSection[]): ForeignRemote[];
}

/** A remote under xsync's names of settings, with notes for the user; or why it cannot be converted. */
export type ForeignRemote =
  | { name: string; settings: Readonly<Record<string, string | boolean>>; notes: string[] }
  | { name: string; reason: string };

/** A permission that a run may need. */
export type Right = 'list' | 'read' | 'write' | 'delete' | 'list parts' | 'abort uploads';

export interface DoctorRules<R extends RemoteConfig = RemoteConfig> {
  /** The service's name for each permission. */
  readonly rights: Readonly<Record<Right, string>>;
  /** Describes where credentials that are not in the config come from; never contains them. */
  credentialsFrom(remote: R, env: NodeJS.ProcessEnv): string;
  /** The acceleration setting of the remote; undefined if the service has no acceleration. */
  acceleration(remote: R): 'auto' | 'on' | 'off' | undefined;
}
