/**
 * A pair's manifest as the other direction sees it. A mirror has one set of rows, the common ancestors of its sides. What
 * a direction has in hand (uploads, failures, intents, deletes to come) is in a manifest of its own: two directions of one
 * key must not mistake it for theirs.
 * Tests: test/manifest/reversed.test.ts
 */
import type { HashedParts, PartRow, UploadRow } from './checkpoints.js';
import type {
  ConflictRow,
  ConflictRows,
  DoomedRow,
  FailureRow,
  FailureSum,
  Intent,
  LagRow,
  Manifest,
  ManifestRow,
  RunRow,
  Spool,
  TagVerdicts,
  Twin,
  Twins,
  VersionRow,
} from './port.js';

/** The row with its sides exchanged. */
export function reversedRow(row: ManifestRow): ManifestRow {
  const { sourceEtag, destEtag, sourceMtimeMs, destMtimeMs = 0, ...both } = row;
  const times = { sourceMtimeMs: destMtimeMs, ...(sourceMtimeMs > 0 && { destMtimeMs: sourceMtimeMs }) };
  return { ...both, ...times, sourceEtag: destEtag, destEtag: sourceEtag, ours: false };
}

/** The conflict with its sides exchanged. */
export function reversedConflict({ sides: { source, dest }, winner, ...row }: ConflictRow): ConflictRow {
  return { ...row, sides: { source: dest, dest: source }, ...(winner && { winner: opposite(winner) }) };
}

function reversedConflicts(rows: ConflictRows): ConflictRows {
  return {
    note: (key, { source, dest }, atMs) => rows.note(key, { source: dest, dest: source }, atMs),
    settle: (key, { winner, ...settled }) => rows.settle(key, { ...settled, winner: winner && opposite(winner) }),
    settleUnseen: (sinceMs, atMs) => rows.settleUnseen(sinceMs, atMs),
    open: (key) => {
      const row = rows.open(key);
      return row && reversedConflict(row);
    },
    countOpen: () => rows.countOpen(),
    list: (limit) => rows.list(limit).map(reversedConflict),
  };
}

function opposite(winner: NonNullable<ConflictRow['winner']>): NonNullable<ConflictRow['winner']> {
  return winner === 'source' ? 'destination' : 'source';
}

function reversedTwins(rows: Twins): Twins {
  const reversed = (twin: Twin | undefined) =>
    twin && { ...twin, sourceEtag: twin.destEtag, destEtag: twin.sourceEtag };
  return {
    ofSource: (size, etag) => reversed(rows.ofDest(size, etag)),
    ofDest: (size, etag) => reversed(rows.ofSource(size, etag)),
    someContent: (size) => rows.someContent(size),
    ofContent: (size, content) => reversed(rows.ofContent(size, content)),
  };
}

/** @throws as the two manifests */
export class ReversedManifest implements Manifest {
  readonly #rows: Manifest;
  readonly #own: Manifest;

  /** @param rows of the opposite direction; @param own of this one, without rows */
  constructor(rows: Manifest, own: Manifest) {
    this.#rows = rows;
    this.#own = own;
  }

  get path(): string {
    return this.#own.path;
  }

  get tagVerdicts(): TagVerdicts {
    return this.#own.tagVerdicts;
  }

  get conflicts(): ConflictRows {
    return reversedConflicts(this.#rows.conflicts);
  }

  get twins(): Twins {
    return reversedTwins(this.#rows.twins);
  }

  get(key: string): ManifestRow | undefined {
    const row = this.#rows.get(key);
    return row && reversedRow(row);
  }

  page(after: string | undefined, limit: number): ManifestRow[] {
    return this.#rows.page(after, limit).map(reversedRow);
  }

  count(): number {
    return this.#rows.count();
  }

  quantile(after: string | undefined, rows: number): { last: string; next: string } | undefined {
    return this.#rows.quantile(after, rows);
  }

  /** Not in one transaction: a failure or an intent that outlives a kill is looked at again. */
  commit(rows: readonly ManifestRow[]): void {
    this.#rows.commit(rows.map(reversedRow));
    this.#settle(rows.map(({ key }) => key));
  }

  forget(keys: readonly string[]): void {
    this.#rows.forget(keys);
    this.#own.forget(keys);
  }

  #settle(keys: readonly string[]): void {
    const failed = this.#own.failureCount() > 0 ? keys.filter((key) => this.#own.failure(key)) : [];
    if (failed.length > 0) this.#own.clearFailures(failed);
    const intended = this.#own.anyIntended() ? keys.filter((key) => this.#own.intended(key)) : [];
    if (intended.length > 0) this.#own.forget(intended);
  }

  intend(intents: readonly Intent[]): void {
    this.#own.intend(intents);
  }

  intended(key: string): Intent | undefined {
    return this.#own.intended(key);
  }

  anyIntended(): boolean {
    return this.#own.anyIntended();
  }

  clearIntents(beforeMs: number): void {
    this.#own.clearIntents(beforeMs);
  }

  upload(key: string): UploadRow | undefined {
    return this.#own.upload(key);
  }

  uploads(): UploadRow[] {
    return this.#own.uploads();
  }

  beginUpload(row: UploadRow): void {
    this.#own.beginUpload(row);
  }

  addPart(key: string, part: PartRow): void {
    this.#own.addPart(key, part);
  }

  noteHash(key: string, hashed: HashedParts): void {
    this.#own.noteHash(key, hashed);
  }

  parts(key: string): PartRow[] {
    return this.#own.parts(key);
  }

  dropParts(key: string, partNumbers: readonly number[]): void {
    this.#own.dropParts(key, partNumbers);
  }

  endUpload(key: string): void {
    this.#own.endUpload(key);
  }

  fail(row: Parameters<Manifest['fail']>[0], again?: boolean): void {
    this.#own.fail(row, again);
  }

  failure(key: string): FailureRow | undefined {
    return this.#own.failure(key);
  }

  failures(after?: string, limit?: number): FailureRow[] {
    return this.#own.failures(after, limit);
  }

  failureCount(): number {
    return this.#own.failureCount();
  }

  failureSums(beforeMs: number): FailureSum[] {
    return this.#own.failureSums(beforeMs);
  }

  oldestFailures(limit: number): FailureRow[] {
    return this.#own.oldestFailures(limit);
  }

  clearFailures(keys: readonly string[]): void {
    this.#own.clearFailures(keys);
  }

  seeFailure(key: string, seenMs: number): void {
    this.#own.seeFailure(key, seenMs);
  }

  dropFailures(keys: readonly string[]): void {
    this.#own.dropFailures(keys);
  }

  doom(rows: readonly DoomedRow[]): void {
    this.#own.doom(rows);
  }

  doomed(after?: string, limit?: number): DoomedRow[] {
    return this.#own.doomed(after, limit);
  }

  doomedCount(): number {
    return this.#own.doomedCount();
  }

  clearDoomed(keys?: readonly string[]): void {
    this.#own.clearDoomed(keys);
  }

  putRun(row: RunRow): void {
    this.#own.putRun(row);
  }

  run(id: string): RunRow | undefined {
    return this.#own.run(id);
  }

  runs(limit: number): RunRow[] {
    return this.#own.runs(limit);
  }

  addLags(rows: readonly LagRow[]): void {
    this.#own.addLags(rows);
  }

  lags(sinceMs: number, untilMs: number): LagRow[] {
    return this.#own.lags(sinceMs, untilMs);
  }

  lagCourse(sinceMs: number, untilMs: number, stepMs: number): LagRow[] {
    return this.#own.lagCourse(sinceMs, untilMs, stepMs);
  }

  putVersion(row: VersionRow): void {
    this.#own.putVersion(row);
  }

  destVersion(key: string, source: string): string | undefined {
    return this.#own.destVersion(key, source);
  }

  hasDestVersion(key: string, dest: string): boolean {
    return this.#own.hasDestVersion(key, dest);
  }

  carriedMs(key: string, dest: string): number | undefined {
    return this.#own.carriedMs(key, dest);
  }

  hasVersions(key: string): boolean {
    return this.#own.hasVersions(key);
  }

  versions(after: Pick<VersionRow, 'key' | 'source'> | undefined, limit: number): VersionRow[] {
    return this.#own.versions(after, limit);
  }

  versionCount(): number {
    return this.#own.versionCount();
  }

  dropVersion(key: string, source: string): void {
    this.#own.dropVersion(key, source);
  }

  unfinishedVersion(key: string): string | undefined {
    return this.#own.unfinishedVersion(key);
  }

  getFact(name: string): string | undefined {
    return this.#own.getFact(name);
  }

  setFact(name: string, value: string): void {
    this.#own.setFact(name, value);
  }

  spool(): Spool {
    return this.#own.spool();
  }

  close(): void {
    this.#own.close();
  }
}
