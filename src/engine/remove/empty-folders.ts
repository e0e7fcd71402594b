/** Deletes the empty folders of a directory tree. Tests: test/cli/delete.test.ts */
import type { RunSide } from '../pair.js';

export interface EmptyFolderOptions {
  /** Whether to look into a folder; its name is relative to the side and ends in a slash. */
  enters?: (folder: string) => boolean;
  stops: () => boolean;
  signal?: AbortSignal;
}

/** From the innermost outwards; the folder of the side itself stays. Does nothing where a store has no folders. */
export async function deleteEmptyFolders(side: RunSide, options: EmptyFolderOptions): Promise<void> {
  if (side.store.hasFolder !== undefined && side.store.capabilities.local) await emptied(side, '', options);
}

/** @returns whether the folder is empty now */
async function emptied(side: RunSide, folder: string, options: EmptyFolderOptions): Promise<boolean> {
  const { store, prefix } = side;
  const { enters, stops, signal } = options;
  if (folder !== '' && enters?.(folder) === false) return false;
  let isEmpty = true;
  for (let token: string | undefined; ; ) {
    const page = await store.list({ prefix: prefix + folder, delimiter: '/', emptyFolders: true, token, signal });
    if (page.entries.length > 0 || page.unlisted) isEmpty = false;
    for (const below of page.prefixes) {
      if (stops()) return false;
      if (!(await emptied(side, below.slice(prefix.length), options))) isEmpty = false;
    }
    token = page.nextToken;
    if (token === undefined) break;
  }
  if (!isEmpty || folder === '') return isEmpty;
  return (await store.delete([prefix + folder], { signal, folders: true })).length === 0;
}
