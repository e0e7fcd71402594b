/**
 * Finds rows by content in a manifest's database. An index is built when it is first needed, since most manifests never
 * need one. From then on SQLite keeps it up to date, whichever version of xsync writes, so it is no part of the format.
 * Tests: test/manifest/sqlite/twins.test.ts
 */
import type { Database, Statement } from 'better-sqlite3';
import type { Twin, Twins } from '../port.js';

const INDEXES = {
  source_etag: 'CREATE INDEX IF NOT EXISTS object_by_source ON object (size, source_etag)',
  dest_etag: 'CREATE INDEX IF NOT EXISTS object_by_dest ON object (size, dest_etag)',
  content: 'CREATE INDEX IF NOT EXISTS object_by_content ON object (size, content) WHERE content IS NOT NULL',
};
type Column = keyof typeof INDEXES;

type Stored = Omit<Twin, 'content'> & { content: string | null };
type Find = Statement<[size: number, value: string], Stored>;

/** `run` performs a call and translates the errors of the database. */
export class SqliteTwins implements Twins {
  readonly #db: Database;
  readonly #run: <T>(work: () => T) => T;
  readonly #statements = new Map<Column, Find>();
  #some: Statement<[size: number], string> | undefined;

  constructor(db: Database, run: <T>(work: () => T) => T) {
    this.#db = db;
    this.#run = run;
  }

  ofSource(size: number, etag: string): Twin | undefined {
    return this.#find('source_etag', size, etag);
  }

  ofDest(size: number, etag: string): Twin | undefined {
    return this.#find('dest_etag', size, etag);
  }

  ofContent(size: number, content: string): Twin | undefined {
    return this.#find('content', size, content);
  }

  someContent(size: number): string | undefined {
    return this.#run(() => {
      this.#some ??= this.#prepareSome();
      return this.#some.get(size);
    });
  }

  #find(column: Column, size: number, value: string): Twin | undefined {
    return this.#run(() => twinOf((this.#statements.get(column) ?? this.#prepare(column)).get(size, value)));
  }

  /** Rows that a checksum or the service proved. A link has no bytes. */
  #prepare(column: Column): Find {
    this.#db.exec(INDEXES[column]);
    const find: Find = this.#db.prepare(
      `SELECT key, source_etag AS sourceEtag, dest_etag AS destEtag, content FROM object
       WHERE size = ? AND ${column} = ? AND verified_by NOT IN ('size', 'none', 'link') LIMIT 1`,
    );
    this.#statements.set(column, find);
    return find;
  }

  #prepareSome(): Statement<[size: number], string> {
    this.#db.exec(INDEXES.content);
    return this.#db
      .prepare<[number], string>('SELECT content FROM object WHERE size = ? AND content IS NOT NULL LIMIT 1')
      .pluck();
  }
}

function twinOf(stored: Stored | undefined): Twin | undefined {
  if (!stored) return undefined;
  const { content, ...twin } = stored;
  return { ...twin, ...(content !== null && { content }) };
}
