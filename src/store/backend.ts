/**
 * A backend: one kind of store, as the rest of the program knows it. Each backend describes itself in its folder's
 * `backend.ts`, and `registry.ts` lists them; config, opening and doctor ask only what is here.
 */
import type { z } from 'zod';
import type { Prices } from '../model/prices.js';
import type { HttpTransport } from './http/transport.js';
import type { ObjectStore } from './port.js';

/** A remote after validation, defaults filled in. What it holds beside its type is its backend's to know. */
export interface RemoteConfig {
  readonly type: string;
  readonly [setting: string]: unknown;
}

type RemoteShape = Readonly<Record<string, z.ZodType>> & { readonly type: z.ZodLiteral<string> };

/**
 * `R` is what the schema makes of a remote. The functions are declared as methods, so that backends with different
 * remotes fit into one list: a backend is only ever handed remotes of its own type.
 */
export interface Backend<R extends RemoteConfig = RemoteConfig> {
  /** `type:` of its remotes and `StoreIdentity.kind` of its stores. */
  readonly type: string;
  /** Describes the remotes in a config. */
  readonly schema: z.ZodObject<RemoteShape, z.core.$strict> & z.ZodType<R>;
  /** `NAME` where `NAME://bucket/prefix` is a location. */
  readonly scheme?: string;
  /** Locations are paths of this host instead of buckets with prefixes, and a bare path is one. */
  readonly paths?: true;
  /** Settings of the remote that a scheme or a bare path resources when the config has none of that name. */
  readonly implied?: Readonly<Record<string, unknown>>;

  /**
   * Opens a store. Adapters are imported here, not at the top of the module: a local copy loads no HTTP and no SDK.
   * @throws config, not-readable, not-writable
   */
  open(remote: R, place: OpenTarget, resources: Resources): Promise<Opened>;

  /** Takes over remotes from an rclone.conf. */
  readonly rclone?: RcloneRules;
  /** For services on the network. */
  readonly doctor?: DoctorRules<R>;
}

/** What is to be opened. */
export interface OpenTarget {
  /** The remote's name. */
  remote: string;
  /** Bucket, or absolute path. */
  bucket: string;
  /** What messages call the bucket. */
  label: string;
  /** A path that does not exist is meant as a file's. */
  asFile: boolean;
}

/** What a command gives its stores to work with. */
export interface Resources {
  /** `lean`: over `http()`. `sdk`: over the vendor's SDK, as a second opinion. */
  transport: 'lean' | 'sdk';
  /** A transport for this store alone; whoever opens the store closes it. */
  http(): Promise<HttpTransport>;
  /** For the SDKs; their defaults when absent. */
  connectTimeoutMs?: number;
  idleTimeoutMs?: number;
  /** In place of what the remote says. */
  accelerate?: 'auto' | 'off';
  /** Follow links, whatever the remote says. */
  copyLinks: boolean;
  env: NodeJS.ProcessEnv;
}

export interface Opened {
  store: ObjectStore;
  /** The object that a path turned out to name, or empty; absent where the location tells. */
  path?: string;
  /** What `accelerate: auto` chose and why, starting with `on` or `off`; absent when it had nothing to choose. */
  acceleration?: string;
  /** Bytes go through transfer acceleration. */
  accelerated?: boolean;
  /** What the service charges, as the remote says. */
  prices?: Prices;
  /** Asked before a run writes anything, where that is known early. @throws not-writable, usage */
  refuseUnwritable?(): Promise<void>;
}

/** The settings of one section of an rclone.conf. */
export type RcloneSection = ReadonlyMap<string, string>;

export interface RcloneRules {
  /** What rclone calls the type of such remotes. */
  readonly type: string;
  /** Which remotes of that type are this backend's; absent: those that no other backend takes. */
  owns?(section: RcloneSection): boolean;
  /** The settings under their names here, or why the remote cannot be taken over. Unknown names are left out. */
  settings(section: RcloneSection): Readonly<Record<string, string>> | string;
  /** What a person has to know when the remote takes its credentials from the environment. */
  readonly environmentNote?: string;
}

/** What a run may have to be granted. */
export type Right = 'list' | 'read' | 'write' | 'delete' | 'list parts' | 'abort uploads';

export interface DoctorRules<R extends RemoteConfig = RemoteConfig> {
  /** The rights as the service calls them. */
  readonly rights: Readonly<Record<Right, string>>;
  /** Where credentials come from that the config does not hold, in words; never the credentials. */
  credentialsFrom(remote: R, env: NodeJS.ProcessEnv): string;
  /** How acceleration is set for the remote; undefined where it cannot be had. */
  acceleration(remote: R): 'auto' | 'on' | 'off' | undefined;
}
