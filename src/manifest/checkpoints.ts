/**
 * The checkpoints port: what is needed to resume an unfinished multipart upload. Small and asynchronous, so that it can
 * be implemented over a network. Keys are relative to the pair's prefixes.
 * Tests: test/engine/transfer/uploads.test.ts
 */
/** A multipart upload in progress. */
export interface UploadRow {
  key: string;
  /** Empty: the upload was about to be created, so an upload with an unknown ID may exist at the store. */
  uploadId: string;
  sourceEtag: string;
  size: number;
  partSize: number;
  createdMs: number;
  /** Absent until it was noted. */
  hashed?: HashedParts;
}

/**
 * The hash over the source's first parts, in order. It covers bytes that the destination acknowledged, and no others:
 * a part that is read again later may be read differently.
 */
export interface HashedParts {
  /** Number of the last part that it covers; every part up to there was acknowledged. */
  upTo: number;
  /** A text of `RunningHash.save`. Empty: the source's checksum needs no hash over the parts in order. */
  state: string;
}

/** A part that the destination acknowledged. */
export interface PartRow {
  partNumber: number;
  size: number;
  etag: string;
  /** Hex; absent if it was neither computed nor returned. */
  md5?: string;
  crc64ecma?: string;
}

export interface Checkpoints {
  upload(key: string): Promise<UploadRow | undefined>;
  /** Creates or replaces the key's checkpoint and deletes its old parts. Durable against kill -9 when it resolves. */
  beginUpload(row: UploadRow): Promise<void>;
  /** Durable against kill -9 when it resolves. */
  addPart(key: string, part: PartRow): Promise<void>;
  /** Replaces the hash of an unfinished upload. Call it when the parts that it covers are durable. */
  noteHash(key: string, hashed: HashedParts): Promise<void>;
  /** Ascending by number. */
  parts(key: string): Promise<PartRow[]>;
  dropParts(key: string, partNumbers: readonly number[]): Promise<void>;
  endUpload(key: string): Promise<void>;
}

/** The manifest's rows of unfinished uploads. */
export interface UploadRows {
  upload(key: string): UploadRow | undefined;
  uploads(): UploadRow[];
  /** Creates or replaces the key's checkpoint and deletes its old parts. Durable against kill -9 on return. */
  beginUpload(row: UploadRow): void;
  /** Durable against kill -9 on return. */
  addPart(key: string, part: PartRow): void;
  noteHash(key: string, hashed: HashedParts): void;
  parts(key: string): PartRow[];
  dropParts(key: string, partNumbers: readonly number[]): void;
  endUpload(key: string): void;
}

/** Checkpoints in a pair's manifest. */
export function checkpointsIn(manifest: UploadRows): Checkpoints {
  return {
    upload: async (key) => manifest.upload(key),
    beginUpload: async (row) => manifest.beginUpload(row),
    addPart: async (key, part) => manifest.addPart(key, part),
    noteHash: async (key, hashed) => manifest.noteHash(key, hashed),
    parts: async (key) => manifest.parts(key),
    dropParts: async (key, partNumbers) => manifest.dropParts(key, partNumbers),
    endUpload: async (key) => manifest.endUpload(key),
  };
}
