/**
 * A ticket is one action on one key, as plain data. It contains no closure, store or secret, and survives
 * `JSON.parse(JSON.stringify(ticket))` unchanged. `engine/plan` creates tickets, `engine/transfer/perform.ts` performs
 * them, and the caller records the outcome.
 * Tests: test/engine/plan/valid-ticket.test.ts
 */

import type { CarryPolicy } from './carry-policy.js';

/** Version of the ticket format that this program reads and writes. */
export const TICKET_VERSION = 1;

/** A bucket of a service, or a local directory; see `StoreIdentity`. */
export interface Place {
  kind: string;
  endpoint: string;
  bucket: string;
}

/** How an object is divided into parts. */
export interface Cut {
  /** Bytes of each part but the last. */
  partSize: number;
  /** 1: a single request. */
  parts: number;
}

/** Where the destination's current object is backed up before it is overwritten or deleted. */
export interface BackupTarget {
  place: Place;
  key: string;
  /** Name of the place in messages. */
  text: string;
  /**
   * An earlier attempt to replace the object may have succeeded without an answer: ETag of what stood there before it,
   * empty for nothing. If another version stands there now, an existing backup is that of the older one, and stays.
   */
  before?: string;
  /** A number is added to the key. */
  numbered?: {
    /** The same key at the ticket's source, where the name must be free as well. */
    other: string;
    /** The manifest has a row of each name up to this number. */
    known: number;
  };
  /** --part-size. */
  partSize?: number;
  attempts: number;
  /** The backup has the tags of the object. */
  tags?: true;
  /** The backup has the ACL of the object. */
  acl?: true;
}

/** Copy one version of one object. */
export interface CopyTicket {
  version: typeof TICKET_VERSION;
  action: 'copy';
  /** Relative to the pair's prefixes; the key of the manifest row and the checkpoint. */
  key: string;
  source: {
    place: Place;
    key: string;
    /** The version to copy; every read requires it. */
    etag: string;
    /** ID of that version, if it may be an older one: every read names it. Absent: the current one. */
    versionId?: string;
    /** Bytes. */
    size: number;
    /** Last-Modified, ms since 1970. */
    mtimeMs: number;
    /** The composite ETag, if the object has one. Together with the part size of the upload it is a checksum. */
    md5ofParts?: string;
    /** Part size of the upload in bytes, if the store returns it. */
    partSize?: number;
  };
  dest: {
    place: Place;
    key: string;
    /** ETag of the existing object that will be overwritten; absent when there is none. */
    replaces?: string;
    /**
     * ETag of what must still stand there, empty for nothing; somebody else's write stays. Absent: whatever stands there
     * is overwritten.
     */
    expects?: string;
    /**
     * The condition holds for every attempt, and a store that cannot compare is asked directly before the write. A write
     * of an earlier attempt that is found there is the outcome.
     */
    firm?: true;
    /** Where the existing object is backed up first; absent when no backup is needed. */
    backup?: BackupTarget;
    /**
     * Another object at the destination that has the bytes, and may have other attributes: the service copies it, if it is
     * still this version. `content`: the checksum of the bytes that the manifest has (`contentText`).
     */
    twin?: { key: string; etag: string; content?: string };
    /** The copy is a version of a history: its metadata names the source's version so, and it is written at most once. */
    versionName?: string;
  };
  /** `server`: a server-side copy. `client`: the bytes pass through this program. `link`: a symbolic link is made. */
  way: 'server' | 'client' | 'link';
  cut: Cut;
  /** Which attributes are copied; absent: `USUAL_POLICY`. */
  carry?: CarryPolicy;
  /** Maximum number of attempts, including the first, after temporary errors and checksum mismatches. */
  attempts: number;
}

/** Delete one object at the destination. */
export interface DeleteTicket {
  version: typeof TICKET_VERSION;
  action: 'delete';
  /** Relative to the pair's prefixes. */
  key: string;
  dest: {
    place: Place;
    key: string;
    size: number;
    /** The version to delete: another one stays. Absent: whatever stands there. */
    etag?: string;
    backup?: BackupTarget;
  };
}

/** Hide an object at the destination by a delete marker, as a version of a history. */
export interface MarkerTicket {
  version: typeof TICKET_VERSION;
  action: 'mark';
  /** Relative to the pair's prefixes. */
  key: string;
  dest: { place: Place; key: string };
}

/** Delete one version, or one delete marker, at the destination for good. */
export interface DeleteVersionTicket {
  version: typeof TICKET_VERSION;
  action: 'delete-version';
  /** Relative to the pair's prefixes. */
  key: string;
  dest: { place: Place; key: string; versionId: string };
}

export type Ticket = CopyTicket | DeleteTicket | MarkerTicket | DeleteVersionTicket;
