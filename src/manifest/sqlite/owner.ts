/** Reads and checks the pair that a manifest belongs to. Tests: test/manifest/sqlite/open.test.ts */
import type Database from 'better-sqlite3';
import { XsyncError } from '../../model/error.js';
import { describePair, samePair } from '../pair.js';
import type { PairIdentity, PlaceIdentity } from '../port.js';

export function readPair(db: Database.Database): PairIdentity | undefined {
  const select = db.prepare<[string], PlaceIdentity>('SELECT kind, endpoint, bucket, prefix FROM pair WHERE side = ?');
  const source = select.get('source');
  const dest = select.get('dest');
  return source && dest && { source, dest };
}

/** @throws config: the manifest belongs to another pair */
export function mustBelong({ name }: Pick<Database.Database, 'name'>, owner: PairIdentity, pair: PairIdentity): void {
  if (samePair(owner, pair)) return;
  const message = `the manifest ${name} belongs to ${describePair(owner)}, not to ${describePair(pair)}`;
  const remedy = 'Choose another manifest file, or move this one away.';
  throw new XsyncError('config', message, { subject: name, remedy });
}
