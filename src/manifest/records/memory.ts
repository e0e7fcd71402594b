/** Records that end with the process. Tests: test/contract/state.test.ts */
import { compareKeys } from '../../model/key.js';
import { type Draft, nameText, type Ranks, type RecordName, type Records, type Stored } from './port.js';

export class MemoryRecords implements Records {
  readonly #records = new Map<string, Stored>();
  #versions = 0;

  async get(names: readonly RecordName[]): Promise<Map<string, Stored>> {
    return new Map(
      names.flatMap((name) => {
        const stored = this.#records.get(nameText(name));
        return stored ? [[nameText(name), stored] as const] : [];
      }),
    );
  }

  async swap(name: RecordName, before: Pick<Stored, 'version'> | undefined, after: Draft): Promise<Stored | undefined> {
    if (this.#records.get(nameText(name))?.version !== before?.version) return undefined;
    const stored = { name, text: after.text, place: after.place, version: String(++this.#versions) };
    this.#records.set(nameText(name), stored);
    return stored;
  }

  async page(group: string, after: string | undefined, limit: number): Promise<Stored[]> {
    return [...this.#records.values()]
      .filter(({ name }) => name.group === group && (after === undefined || compareKeys(name.id, after) > 0))
      .sort((a, b) => compareKeys(a.name.id, b.name.id))
      .slice(0, limit);
  }

  async queued(queue: string, { after, upTo, limit }: Ranks & { limit: number }): Promise<Stored[]> {
    return [...this.#records.values()]
      .flatMap((stored) => (stored.place?.queue === queue ? [{ stored, rank: stored.place.rank }] : []))
      .filter(({ rank }) => (upTo === undefined || rank <= upTo) && (after === undefined || rank > after))
      .sort((a, b) => (a.rank < b.rank ? -1 : 1))
      .slice(0, limit)
      .map(({ stored }) => stored);
  }

  async countQueued(queue: string, most: number): Promise<number> {
    return (await this.queued(queue, { limit: most })).length;
  }

  async remove(names: readonly RecordName[]): Promise<void> {
    for (const name of names) this.#records.delete(nameText(name));
  }

  async close(): Promise<void> {}
}
