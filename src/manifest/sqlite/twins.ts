/**
 * Finds rows by content in a manifest's database. An index is built when it is first needed, since most manifests never
 * need one. From then on SQLite keeps it up to date, whichever version of xsync writes, so it is no part of the format.
 * Tests: test/manifest/sqlite/twins.test.ts
 */
import type { Database, Statement } from 'better-sqlite3';
import type { Twin, Twins } from '../port.js';

const BY_SOURCE = 'CREATE INDEX IF NOT EXISTS object_by_source ON object (size, source_etag)';
const BY_CONTENT = 'CREATE INDEX IF NOT EXISTS object_by_content ON object (size, content) WHERE content IS NOT NULL';

type Stored = Omit<Twin, 'content'> & { content: string | null };

/** Rows that a checksum or the service proved. A link has no bytes. */
const FIND = `SELECT key, dest_etag AS destEtag, content FROM object
  WHERE verified_by NOT IN ('size', 'none', 'link') AND size = ? AND`;

interface ByContent {
  some: Statement<[size: number], string>;
  find: Statement<[size: number, content: string], Stored>;
}

/** `run` performs a call and translates the errors of the database. */
export class SqliteTwins implements Twins {
  readonly #db: Database;
  readonly #run: <T>(work: () => T) => T;
  #bySource: Statement<[size: number, etag: string], Stored> | undefined;
  #byContent: ByContent | undefined;

  constructor(db: Database, run: <T>(work: () => T) => T) {
    this.#db = db;
    this.#run = run;
  }

  ofSource(size: number, etag: string): Twin | undefined {
    return this.#run(() => {
      this.#bySource ??= this.#prepareBySource();
      return twinOf(this.#bySource.get(size, etag));
    });
  }

  someContent(size: number): string | undefined {
    return this.#run(() => this.#indexed().some.get(size));
  }

  ofContent(size: number, content: string): Twin | undefined {
    return this.#run(() => twinOf(this.#indexed().find.get(size, content)));
  }

  #prepareBySource(): Statement<[size: number, etag: string], Stored> {
    this.#db.exec(BY_SOURCE);
    return this.#db.prepare(`${FIND} source_etag = ? LIMIT 1`);
  }

  #indexed(): ByContent {
    if (this.#byContent) return this.#byContent;
    this.#db.exec(BY_CONTENT);
    const some = 'SELECT content FROM object WHERE size = ? AND content IS NOT NULL LIMIT 1';
    this.#byContent = {
      some: this.#db.prepare<[number], string>(some).pluck(),
      find: this.#db.prepare(`${FIND} content = ? LIMIT 1`),
    };
    return this.#byContent;
  }
}

function twinOf(stored: Stored | undefined): Twin | undefined {
  if (!stored) return undefined;
  const { key, destEtag, content } = stored;
  return { key, destEtag, ...(content !== null && { content }) };
}
