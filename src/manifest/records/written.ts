/** What xsync has written, in records. Tests: test/contract/state.test.ts */
import type { ManifestRow } from '../port.js';
import { slotOf } from '../queues.js';
import type { WrittenRows } from '../state.js';
import { changeAll } from './change.js';
import type { RecordName, Records } from './port.js';

export class RecordRows implements WrittenRows {
  readonly #records: Records;

  constructor(records: Records) {
    this.#records = records;
  }

  async rows(keys: readonly string[]): Promise<ManifestRow[]> {
    const found = await this.#records.get(keys.map(nameOf));
    return [...found.values()].map(({ text }): ManifestRow => JSON.parse(text));
  }

  async commit(rows: readonly ManifestRow[]): Promise<void> {
    const draft = (row: ManifestRow) => ({ text: JSON.stringify(row) });
    await changeAll(
      this.#records,
      rows.map((row) => ({ name: nameOf(row.key), next: () => draft(row) })),
    );
  }

  async forget(keys: readonly string[]): Promise<void> {
    await this.#records.remove(keys.map(nameOf));
  }
}

function nameOf(key: string): RecordName {
  return { group: `written-${slotOf(key)}`, id: '-' };
}
