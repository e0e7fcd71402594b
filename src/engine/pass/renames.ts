/**
 * --track-renames: finds another key under which the destination has the bytes of a new object, by the manifest's rows.
 *
 * What proves that two objects of the source have the same bytes: the same size and the same ETag, if it has the form of
 * an MD5 or of an MD5 of parts. Services that make ETags of this form from anything else make each one only once. A file
 * has no such ETag, and an inode may be used again, so a new file is read and its checksum compared with those of rows;
 * only if a row has its size. The row itself must have been proved, and the copy names the version that the row names.
 */
import type { Twin } from '../../manifest/port.js';
import { type Content, contentText, parseContent } from '../../model/content.js';
import { isXsyncError } from '../../model/error.js';
import type { ObjectEntry } from '../../model/object.js';
import { checksumsOf } from '../decide/reading.js';
import type { CopyReason } from '../decide/terms.js';
import type { Subject } from '../plan/plan.js';
import type { RunContext } from './context.js';

const OF_CONTENT = /^[0-9a-f]{32}(-\d+)?$/i;

type Found = NonNullable<Subject['twin']>;

export class Renames {
  readonly #context: RunContext;

  /** @returns undefined if nothing is to be found; says so if the destination cannot copy */
  static of(context: RunContext): Renames | undefined {
    const { options, pair, emit } = context;
    if (!options.trackRenames) return undefined;
    const { store, text } = pair.dest;
    const { copiesWithin, maxCopySize } = store.capabilities;
    if (copiesWithin || (maxCopySize > 0 && store.copyableFrom(store))) return new Renames(context);
    const message = `--track-renames has no effect: ${text} cannot copy objects`;
    emit({ type: 'notice', level: 'warn', message });
    return undefined;
  }

  private constructor(context: RunContext) {
    this.#context = context;
  }

  /** Objects of the source may have to be read. */
  get reads(): boolean {
    return this.#context.pair.source.store.capabilities.local;
  }

  /**
   * An empty object is not worth a copy, and an upload that has begun is worth more.
   * @returns a promise if the object has to be read
   */
  find(source: ObjectEntry, reason: CopyReason): Found | undefined | Promise<Found | undefined> {
    const { key, size, etag, special } = source;
    const { manifest } = this.#context.pair;
    if (reason !== 'new' || size === 0 || special === 'symlink' || manifest.upload(key)) return undefined;
    if (this.reads) return this.#read(source);
    return OF_CONTENT.test(etag) ? this.#at(manifest.twins.ofSource(size, etag)) : undefined;
  }

  async #read({ key, size, etag }: ObjectEntry): Promise<Found | undefined> {
    const { pair, budget, halt } = this.#context;
    const { twins } = pair.manifest;
    const known = parseContent(twins.someContent(size) ?? '');
    if (!known) return undefined;
    try {
      const partSize = known.name === 'md5ofParts' ? known.partSize : undefined;
      const file = { key: pair.source.prefix + key, size, etag };
      const { md5, crc64ecma, md5ofParts } = await checksumsOf(
        { budget, signal: halt.signal },
        pair.source.store,
        file,
        partSize,
      );
      const contents: Content[] = [
        ...(md5 === undefined ? [] : [{ name: 'md5' as const, value: md5 }]),
        ...(md5ofParts === undefined || partSize === undefined
          ? []
          : [{ name: 'md5ofParts' as const, value: md5ofParts, partSize }]),
        ...(crc64ecma === undefined ? [] : [{ name: 'crc64ecma' as const, value: crc64ecma }]),
      ];
      for (const content of contents) {
        const found = twins.ofContent(size, contentText(content));
        if (found) return this.#at(found);
      }
    } catch (error) {
      // What is wrong with the file, its copy will meet, too.
      if (!isXsyncError(error) || halt.signal.aborted) throw error;
    }
    return undefined;
  }

  #at(twin: Twin | undefined): Found | undefined {
    if (!twin) return undefined;
    const { key, destEtag: etag, content } = twin;
    return { key: this.#context.pair.dest.prefix + key, etag, ...(content !== undefined && { content }) };
  }
}
