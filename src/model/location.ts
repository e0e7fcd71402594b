/** A place in a store, as a person wrote it and as the program needs it. */
export interface Location {
  /** The remote's name in the config, or the scheme (`s3`, `oss`), or `local`. */
  remote: string;
  /** Bucket; for a local path, the absolute root directory. */
  bucket: string;
  /** Key prefix below the bucket: empty, or ending in `/` once it is known to be a folder. */
  prefix: string;
  /** What the person typed, for messages. */
  text: string;
}
