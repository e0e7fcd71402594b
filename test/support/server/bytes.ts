/** Object data as a list of shared buffers that are never copied: a multipart object has the buffers of its parts. */
export class Bytes {
  readonly chunks: readonly Buffer[];
  readonly size: number;

  constructor(chunks: readonly Buffer[]) {
    this.chunks = chunks;
    this.size = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  }

  /** Shares memory with `data`, which the caller must no longer change. */
  static of(data: Uint8Array | string): Bytes {
    if (typeof data === 'string') return new Bytes([Buffer.from(data)]);
    return new Bytes([Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
  }

  /** Views of `[offset, offset + length)`. */
  slice(offset: number, length: number): Bytes {
    const views: Buffer[] = [];
    let skip = offset;
    let left = length;
    for (const chunk of this.chunks) {
      if (left <= 0) break;
      if (skip >= chunk.byteLength) {
        skip -= chunk.byteLength;
        continue;
      }
      const view = chunk.subarray(skip, Math.min(chunk.byteLength, skip + left));
      views.push(view);
      left -= view.byteLength;
      skip = 0;
    }
    return new Bytes(views);
  }

  /** One contiguous buffer; copied only when there are several chunks. */
  buffer(): Buffer {
    const [only] = this.chunks;
    return only && this.chunks.length === 1 ? only : Buffer.concat(this.chunks);
  }

  /** A copy in which the lowest bit of the byte at `offset` is flipped. */
  withFlippedBit(offset = Math.floor(this.size / 2)): Bytes {
    const copy = Buffer.concat(this.chunks);
    const at = Math.min(offset, copy.byteLength - 1);
    if (at >= 0) copy[at] = (copy[at] ?? 0) ^ 1;
    return new Bytes([copy]);
  }
}
