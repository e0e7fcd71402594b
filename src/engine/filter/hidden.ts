/**
 * The folders that --exclude-if-present hides: those that hold a file of a given name. The file may come after others of
 * its folder in a listing, so the folders are looked for before the keys are compared.
 * Tests: test/engine/filter/filter.test.ts
 */

export class HiddenFolders {
  readonly #names: ReadonlySet<string>;
  /** By folder with its slash ('' is the root), the name of the file. */
  #found = new Map<string, string>();

  /** @param names of files, such as `.ignore` */
  constructor(names: readonly string[]) {
    this.#names = new Set(names);
  }

  /** Finds the folders anew; until the end, those of before stay hidden. */
  async renew(keys: AsyncIterable<readonly string[]>): Promise<void> {
    const next = new HiddenFolders([...this.#names]);
    for await (const page of keys) for (const key of page) next.see(key);
    this.#found = next.#found;
  }

  /** Takes note of a key that exists; it may be the file that hides its folder. */
  see(key: string): void {
    const start = key.lastIndexOf('/') + 1;
    const name = key.slice(start);
    if (this.#names.has(name)) this.#found.set(key.slice(0, start), name);
  }

  /** Why a folder (with its slash; '' is the root) is hidden; undefined when it is not. */
  reasonFor(folder: string): string | undefined {
    if (this.#found.size === 0) return undefined;
    for (let end = 0; ; ) {
      const above = folder.slice(0, end);
      const name = this.#found.get(above);
      if (name !== undefined) return `--exclude-if-present ${name}${above === '' ? '' : ` (directory ${above})`}`;
      const slash = folder.indexOf('/', end);
      if (slash < 0) return undefined;
      end = slash + 1;
    }
  }
}
