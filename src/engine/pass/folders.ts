/**
 * --create-empty-src-dirs: the folders of a source on disk, which are created at the end of a run. They wait on disk, so
 * that memory does not grow with them. Tests: test/store/local/folders.test.ts
 */
import type { Spool } from '../../manifest/port.js';
import type { RunContext } from './context.js';

const PAGE = 1000;

export class Folders {
  readonly #context: RunContext;
  #unsaved = new Set<string>();
  #spool: Spool | undefined;

  /** @returns undefined if no folders are to be created, or one of the stores has none */
  static of(context: RunContext): Folders | undefined {
    const { options, pair } = context;
    const wanted = options.emptyFolders && !pair.single && options.only === undefined;
    const { local } = pair.dest.store.capabilities;
    return wanted && local && pair.source.store.capabilities.local ? new Folders(context) : undefined;
  }

  private constructor(context: RunContext) {
    this.#context = context;
  }

  /** @param folder with its slash, relative to the pair's prefix */
  add(folder: string): void {
    this.#unsaved.add(folder);
    if (this.#unsaved.size >= PAGE) this.#save();
  }

  /** Creates those that the destination lacks; a dry run only counts them. @throws not-writable */
  async make(): Promise<void> {
    const { pair, options, emit, halt } = this.#context;
    const { store, prefix } = pair.dest;
    let made = 0;
    this.#save();
    for (let after: string | undefined; ; ) {
      const rows = this.#spool?.page(after, PAGE) ?? [];
      after = rows.at(-1)?.key;
      if (after === undefined) break;
      for (const { key } of rows) {
        if (halt.stops('plans')) return;
        if (await store.hasFolder?.(prefix + key)) continue;
        made++;
        if (!options.dryRun) await store.makeFolder?.(prefix + key);
      }
    }
    const folders = `${made} ${made === 1 ? 'folder' : 'folders'}`;
    const message = options.dryRun ? `would create ${folders}` : `created ${folders} that no object needed`;
    if (made > 0) emit({ type: 'notice', level: 'info', message });
  }

  dispose(): void {
    this.#spool?.dispose();
    this.#spool = undefined;
    this.#unsaved.clear();
  }

  #save(): void {
    if (this.#unsaved.size === 0) return;
    this.#spool ??= this.#context.pair.manifest.spool();
    this.#spool.add([...this.#unsaved].map((key) => ({ key, value: '' })));
    this.#unsaved.clear();
  }
}
