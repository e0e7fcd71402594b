/**
 * Hashes of bytes that arrive in order, whose state can be saved and continued by a later process. hash-wasm can do that
 * (OpenSSL through node:crypto cannot) at about the same speed.
 */
import type { IHasher } from 'hash-wasm';
import * as z from 'zod';

/** The checksums that need the bytes in order. */
export const RUNNING_HASHES = ['md5', 'sha256', 'sha1', 'crc64nvme', 'crc32c', 'crc32'] as const;
export type RunningHashName = (typeof RUNNING_HASHES)[number];

type Wasm = typeof import('hash-wasm');

/** Polynomials in reflected form. */
const CREATE: Record<RunningHashName, (wasm: Wasm) => Promise<IHasher>> = {
  md5: (wasm) => wasm.createMD5(),
  sha256: (wasm) => wasm.createSHA256(),
  sha1: (wasm) => wasm.createSHA1(),
  crc64nvme: (wasm) => wasm.createCRC64('9a6c9329ac4bc9b5'),
  crc32c: (wasm) => wasm.createCRC32(0x82f63b78),
  crc32: (wasm) => wasm.createCRC32(0xedb88320),
};

/** One hasher of each kind serves all objects: each object's state is loaded for its bytes and saved after them. */
const hashers = new Map<RunningHashName, Promise<IHasher>>();

function hasherOf(name: RunningHashName): Promise<IHasher> {
  let hasher = hashers.get(name);
  if (!hasher) {
    hasher = import('hash-wasm').then(CREATE[name]);
    hashers.set(name, hasher);
  }
  return hasher;
}

const saved = z.object({
  name: z.enum(RUNNING_HASHES),
  state: z.base64(),
  parts: z
    .object({ size: z.int().positive(), filled: z.int().min(0), count: z.int().min(0), state: z.base64() })
    .optional(),
});

/** MD5 of the MD5s of the parts so far, as S3 makes the ETag of a multipart object. */
interface OfParts {
  /** Bytes of each part but the last. */
  size: number;
  /** Bytes in the current part. */
  filled: number;
  /** Parts that are complete. */
  count: number;
  /** Of the hash over the MD5s of the complete parts. */
  state: Uint8Array;
}

export class RunningHash {
  readonly #hasher: IHasher;
  #state: Uint8Array;
  readonly #parts: OfParts | undefined;

  private constructor(
    readonly name: RunningHashName,
    hasher: IHasher,
    state: Uint8Array,
    parts: OfParts | undefined,
  ) {
    this.#hasher = hasher;
    this.#state = state;
    this.#parts = parts;
  }

  /** @param partSize bytes; the result is then the composite MD5 of parts of that size */
  static async begin(name: RunningHashName, partSize?: number): Promise<RunningHash> {
    const hasher = await hasherOf(name);
    const state = hasher.init().save();
    return new RunningHash(
      name,
      hasher,
      state,
      partSize === undefined ? undefined : { size: partSize, filled: 0, count: 0, state },
    );
  }

  /** Continues from a text of `save`. Undefined if this build cannot: the bytes must then be hashed again. */
  static async resume(text: string): Promise<RunningHash | undefined> {
    const parsed = parse(text);
    if (!parsed) return undefined;
    const { name, state, parts } = parsed;
    const hasher = await hasherOf(name);
    const bytes = Buffer.from(state, 'base64');
    const ofParts = parts && { ...parts, state: Buffer.from(parts.state, 'base64') };
    const fits = [bytes, ...(ofParts ? [ofParts.state] : [])].every((one) => canLoad(hasher, one));
    return fits ? new RunningHash(name, hasher, bytes, ofParts) : undefined;
  }

  /** Part size of a composite MD5. */
  get partSize(): number | undefined {
    return this.#parts?.size;
  }

  update(bytes: Uint8Array): void {
    if (this.#parts) this.#addToParts(bytes, this.#parts);
    else this.#add(bytes);
  }

  #addToParts(bytes: Uint8Array, parts: OfParts): void {
    for (let at = 0; at < bytes.byteLength; ) {
      if (parts.filled === parts.size) this.#endPart(parts);
      const piece = bytes.subarray(at, at + parts.size - parts.filled);
      this.#add(piece);
      parts.filled += piece.byteLength;
      at += piece.byteLength;
    }
  }

  /** In the form of `Checksums`: hex for MD5, `<hex>-<parts>` with a part size, base64 for all others. */
  digest(): string {
    const own = this.#hasher.load(this.#state).digest('binary');
    if (this.#parts) {
      const whole = this.#hasher.load(this.#parts.state).update(own).digest('hex');
      return `${whole}-${this.#parts.count + 1}`;
    }
    return Buffer.from(own).toString(this.name === 'md5' ? 'hex' : 'base64');
  }

  /** The state as text. It can contain up to 63 bytes of the object. */
  save(): string {
    const parts = this.#parts && { ...this.#parts, state: base64(this.#parts.state) };
    return JSON.stringify({ name: this.name, state: base64(this.#state), parts });
  }

  #add(bytes: Uint8Array): void {
    this.#state = this.#hasher.load(this.#state).update(bytes).save();
  }

  #endPart(parts: OfParts): void {
    const part = this.#hasher.load(this.#state).digest('binary');
    parts.state = this.#hasher.load(parts.state).update(part).save();
    parts.count++;
    parts.filled = 0;
    this.#state = this.#hasher.init().save();
  }
}

/** The checksum of bytes in memory, in the form of `Checksums`. */
export async function digestOf(name: RunningHashName, bytes: Uint8Array): Promise<string> {
  const hash = await RunningHash.begin(name);
  hash.update(bytes);
  return hash.digest();
}

function parse(text: string): z.infer<typeof saved> | undefined {
  try {
    return saved.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** hash-wasm throws for a state that another build has saved. */
function canLoad(hasher: IHasher, state: Uint8Array): boolean {
  try {
    hasher.load(state);
    return true;
  } catch {
    return false;
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
