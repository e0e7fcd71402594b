/**
 * The checkpoints of the tickets that a worker performs. They are kept in Redis beside the job, for a worker that has it
 * later, and told to the coordinator, which has the manifest. Tests: test/e2e/queue.redis.ts
 */
import type { Question } from '../engine/workers/messages.js';
import type { Checkpoints, HashedParts, PartRow, UploadRow } from '../manifest/checkpoints.js';
import type { Client } from './connect.js';
import { KEPT_S, keys } from './keys.js';
import { type CopyWork, jsonOf, validUpload } from './messages.js';

type Call = Pick<Client, 'hgetall' | 'hset' | 'del' | 'expire' | 'hdel'>;

/** The checkpoint of one work. Its key is that of the ticket. */
export class FarUpload implements Checkpoints {
  readonly #redis: Call;
  readonly #name: string;
  readonly #tell: (question: Question) => void;
  readonly #parts = new Map<number, PartRow>();
  #row: UploadRow | undefined;

  private constructor(redis: Call, name: string, tell: (question: Question) => void) {
    this.#redis = redis;
    this.#name = name;
    this.#tell = tell;
  }

  /** What an earlier worker has left, or the coordinator knows. */
  static async open(
    redis: Call,
    at: { job: string; work: number },
    { upload }: Pick<CopyWork, 'upload'>,
    tell: (question: Question) => void,
  ): Promise<FarUpload> {
    const name = keys.upload(at.job, at.work);
    const opened = new FarUpload(redis, name, tell);
    const fields = await redis.hgetall(name);
    const left = validUpload({ row: jsonOf(fields.row ?? ''), parts: partsIn(fields) });
    // An empty row: an earlier worker has ended the upload.
    const known = fields.row === '' ? undefined : (left ?? upload);
    opened.#row = known?.row;
    for (const part of known?.parts ?? []) opened.#parts.set(part.partNumber, part);
    if (fields.row === undefined && known) await opened.#keep(known);
    return opened;
  }

  async #keep({ row, parts }: NonNullable<CopyWork['upload']>): Promise<void> {
    const named = parts.map((part) => [partField(part.partNumber), JSON.stringify(part)]);
    await this.#write({ row: JSON.stringify(row), ...Object.fromEntries(named) });
    await this.#redis.expire(this.#name, KEPT_S);
  }

  async upload(): Promise<UploadRow | undefined> {
    return this.#row;
  }

  async beginUpload(row: UploadRow): Promise<void> {
    this.#row = row;
    this.#parts.clear();
    await this.#redis.del(this.#name);
    await this.#write({ row: JSON.stringify(row) });
    await this.#redis.expire(this.#name, KEPT_S);
    this.#tell({ call: 'beginUpload', row });
  }

  async addPart(key: string, part: PartRow): Promise<void> {
    this.#parts.set(part.partNumber, part);
    await this.#write({ [partField(part.partNumber)]: JSON.stringify(part) });
    this.#tell({ call: 'addPart', key, part });
  }

  async noteHash(key: string, hashed: HashedParts): Promise<void> {
    if (!this.#row) return;
    this.#row = { ...this.#row, hashed };
    await this.#write({ row: JSON.stringify(this.#row) });
    this.#tell({ call: 'noteHash', key, hashed });
  }

  async parts(): Promise<PartRow[]> {
    return [...this.#parts.values()].sort((a, b) => a.partNumber - b.partNumber);
  }

  async dropParts(key: string, partNumbers: readonly number[]): Promise<void> {
    for (const number of partNumbers) this.#parts.delete(number);
    await this.#redis.hdel(this.#name, ...partNumbers.map(partField));
    this.#tell({ call: 'dropParts', key, partNumbers });
  }

  async endUpload(key: string): Promise<void> {
    this.#row = undefined;
    this.#parts.clear();
    await this.#redis.del(this.#name);
    await this.#write({ row: '' });
    await this.#redis.expire(this.#name, KEPT_S);
    this.#tell({ call: 'endUpload', key });
  }

  async #write(fields: Record<string, string>): Promise<void> {
    await this.#redis.hset(this.#name, fields);
  }
}

function partField(partNumber: number): string {
  return `part:${partNumber}`;
}

function partsIn(fields: Record<string, string>): unknown[] {
  return Object.entries(fields).flatMap(([name, text]) => (name.startsWith('part:') ? [jsonOf(text)] : []));
}
