/**
 * Tickets: one thing to do to one key, as plain data. A ticket holds no closure, no store and no secret, and means the
 * same after `JSON.parse(JSON.stringify(ticket))`. `engine/plan` makes tickets, `engine/transfer/perform.ts` performs
 * them, and whoever asked records the outcome.
 */

/** The version of the tickets' format that this program reads and writes. */
export const TICKET_VERSION = 1;

/** A bucket of a service, or a local directory; see `StoreIdentity`. */
export interface Place {
  kind: string;
  endpoint: string;
  bucket: string;
}

/** How an object is sent. */
export interface Cut {
  /** Bytes of each part but the last. */
  partSize: number;
  /** 1: a single request. */
  parts: number;
}

/** Where the destination's present object is copied before it is overwritten or deleted. */
export interface BackupTarget {
  place: Place;
  key: string;
  /** How messages name the place. */
  text: string;
  /** --part-size. */
  partSize?: number;
  attempts: number;
}

/** Copy one version of one object. */
export interface CopyTicket {
  version: typeof TICKET_VERSION;
  action: 'copy';
  /** Relative to the pair's prefixes; names the object in the manifest and its checkpoint. */
  key: string;
  source: {
    place: Place;
    key: string;
    /** The version to copy; every read is pinned to it. */
    etag: string;
    /** Bytes. */
    size: number;
    /** Last-Modified, ms since 1970. */
    mtimeMs: number;
    /** The composite ETag, where the object has one. With the part size it was made by, it is a checksum. */
    md5ofParts?: string;
    /** Bytes of the parts that the object was uploaded in, where the store told. */
    partSize?: number;
  };
  dest: {
    place: Place;
    key: string;
    /** ETag of the object that is there and will be overwritten; absent when nothing is there. */
    replaces?: string;
    /** Where the present object is copied first; absent when it need not be kept. */
    backup?: BackupTarget;
  };
  /** `server`: the destination's service copies by itself. `client`: the bytes pass through the performer. */
  way: 'server' | 'client';
  cut: Cut;
  /** In the destination's spelling; absent for its default. */
  storageClass?: string;
  /** Tries after temporary faults and checksum mismatches, the first one included. */
  attempts: number;
}

/** Delete one object at the destination. */
export interface DeleteTicket {
  version: typeof TICKET_VERSION;
  action: 'delete';
  /** Relative to the pair's prefixes. */
  key: string;
  dest: { place: Place; key: string; size: number; backup?: BackupTarget };
}

export type Ticket = CopyTicket | DeleteTicket;
