/** What tags decided, in a manifest's database. Tests: test/manifest/sqlite/tag-verdicts.test.ts */
import type { Database, Statement } from 'better-sqlite3';
import type { TagVerdict, TagVerdicts } from '../port.js';

type Stored = Omit<TagVerdict, 'exclusion'> & { exclusion: string | null };

/** `run` performs a call and translates the errors of the database. */
export class SqliteTagVerdicts implements TagVerdicts {
  readonly #run: <T>(work: () => T) => T;
  readonly #get: Statement<[string], Stored>;
  readonly #put: Statement<[string, string, number, string, string | null, number]>;
  readonly #first: Statement<[number], string>;
  readonly #after: Statement<[string, number], string>;
  readonly #drop: Statement<[string]>;
  readonly #dropAll: (keys: readonly string[]) => void;

  constructor(db: Database, run: <T>(work: () => T) => T) {
    this.#run = run;
    this.#get = db.prepare(
      `SELECT key, source_etag AS sourceEtag, source_mtime_ms AS sourceMtimeMs, filter, exclusion, at_ms AS atMs
       FROM tag_verdict WHERE key = ?`,
    );
    this.#put = db.prepare('INSERT OR REPLACE INTO tag_verdict VALUES (?, ?, ?, ?, ?, ?)');
    this.#first = db.prepare<[number], string>('SELECT key FROM tag_verdict ORDER BY key LIMIT ?').pluck();
    this.#after = db
      .prepare<[string, number], string>('SELECT key FROM tag_verdict WHERE key > ? ORDER BY key LIMIT ?')
      .pluck();
    this.#drop = db.prepare('DELETE FROM tag_verdict WHERE key = ?');
    this.#dropAll = db.transaction((keys: readonly string[]) => {
      for (const key of keys) this.#drop.run(key);
    });
  }

  get(key: string): TagVerdict | undefined {
    return this.#run(() => {
      const stored = this.#get.get(key);
      if (!stored) return undefined;
      const { exclusion, ...verdict } = stored;
      return { ...verdict, ...(exclusion !== null && { exclusion }) };
    });
  }

  put({ key, sourceEtag, sourceMtimeMs, filter, exclusion, atMs }: TagVerdict): void {
    this.#run(() => this.#put.run(key, sourceEtag, sourceMtimeMs, filter, exclusion ?? null, atMs));
  }

  keys(after: string | undefined, limit: number): string[] {
    return this.#run(() => (after === undefined ? this.#first.all(limit) : this.#after.all(after, limit)));
  }

  drop(keys: readonly string[]): void {
    if (keys.length > 0) this.#run(() => this.#dropAll(keys));
  }
}
