/** Checkpoints of uploads in parts, in records. Tests: test/contract/state.test.ts */
import { randomUUID } from 'node:crypto';
import type { Checkpoints, HashedParts, PartRow, UploadRow } from '../checkpoints.js';
import { slotOf } from '../queues.js';
import { getOne, put } from './change.js';
import type { RecordName, Records } from './port.js';

/** Services remove unfinished uploads after some days, as their buckets are told to. */
const KEPT_MS = 30 * 86_400_000;
const PAGE = 1000;

interface UploadRecord {
  row: UploadRow;
  /** Group of the parts of this upload: those of an earlier one have another. */
  parts: string;
}

/** Whoever has the lease of a key's ticket is the only one who writes here. */
export class RecordCheckpoints implements Checkpoints {
  readonly #records: Records;
  /** Group of the parts, of the uploads that are in progress here. */
  readonly #groups = new Map<string, string>();

  constructor(records: Records) {
    this.#records = records;
  }

  async upload(key: string): Promise<UploadRow | undefined> {
    return (await this.#upload(key))?.row;
  }

  async beginUpload(row: UploadRow): Promise<void> {
    const group = this.#groups.get(row.key) ?? (await this.#upload(row.key))?.parts;
    await this.#write(row.key, { row, parts: `part-${randomUUID()}` });
    if (group !== undefined) await this.#removeParts(group);
  }

  async addPart(key: string, part: PartRow): Promise<void> {
    const group = await this.#group(key);
    if (group === undefined) return;
    await put(this.#records, partName(group, part.partNumber), { text: JSON.stringify(part), untilMs: keptMs() });
  }

  async noteHash(key: string, hashed: HashedParts): Promise<void> {
    const upload = await this.#upload(key);
    if (upload) await this.#write(key, { ...upload, row: { ...upload.row, hashed } });
  }

  async parts(key: string): Promise<PartRow[]> {
    const group = await this.#group(key);
    return group === undefined ? [] : this.#parts(group);
  }

  async dropParts(key: string, partNumbers: readonly number[]): Promise<void> {
    const group = await this.#group(key);
    if (group !== undefined) await this.#records.remove(partNumbers.map((number) => partName(group, number)));
  }

  async endUpload(key: string): Promise<void> {
    const group = await this.#group(key);
    if (group === undefined) return;
    await this.#records.remove([nameOf(key)]);
    this.#groups.delete(key);
    await this.#removeParts(group);
  }

  async #upload(key: string): Promise<UploadRecord | undefined> {
    const stored = await getOne(this.#records, nameOf(key));
    if (!stored) return undefined;
    const upload: UploadRecord = JSON.parse(stored.text);
    this.#groups.set(key, upload.parts);
    return upload;
  }

  async #write(key: string, upload: UploadRecord): Promise<void> {
    await put(this.#records, nameOf(key), { text: JSON.stringify(upload), untilMs: keptMs() });
    this.#groups.set(key, upload.parts);
  }

  async #group(key: string): Promise<string | undefined> {
    return this.#groups.get(key) ?? (await this.#upload(key))?.parts;
  }

  async #parts(group: string): Promise<PartRow[]> {
    const parts: PartRow[] = [];
    for (let after: string | undefined; ; ) {
      const page = await this.#records.page(group, after, PAGE);
      for (const { text } of page) parts.push(JSON.parse(text));
      if (page.length < PAGE) return parts;
      after = page.at(-1)?.name.id;
    }
  }

  async #removeParts(group: string): Promise<void> {
    const parts = await this.#parts(group);
    await this.#records.remove(parts.map(({ partNumber }) => partName(group, partNumber)));
  }
}

function nameOf(key: string): RecordName {
  return { group: `upload-${slotOf(key)}`, id: '-' };
}

/** In the order of their numbers. */
function partName(group: string, partNumber: number): RecordName {
  return { group, id: String(partNumber).padStart(6, '0') };
}

function keptMs(): number {
  return Date.now() + KEPT_MS;
}
