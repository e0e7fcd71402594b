/** Imports the remotes of another tool's config file. The kind of file is read off its text. */
import type { Backend, ForeignRemote } from '../store/backend.js';
import { parseIni } from '../store/ini.js';
import { BACKENDS } from '../store/registry.js';
import { collect, type ImportedRemote, importRclone, nameRemote, type RemoteImport } from './rclone.js';
import { escapeReferences } from './references.js';

/** @throws config: for an encrypted file and for lines that are not INI */
export function importConfig(text: string, file: string): RemoteImport {
  const backend = BACKENDS.find(({ foreign }) => foreign?.owns(text));
  if (!backend?.foreign) return importRclone(text, file);
  const found = backend.foreign.remotes(parseIni(text, file, 'section'));
  return collect(found.map((remote) => [remote.name, importForeign(backend, remote)]));
}

function importForeign(backend: Backend, remote: ForeignRemote): ImportedRemote | string {
  if ('reason' in remote) return remote.reason;
  const settings = Object.entries(remote.settings).map(([key, value]) => {
    return [key, typeof value === 'string' ? escapeReferences(value) : value] as const;
  });
  const named = nameRemote(remote.name, { type: backend.type, ...Object.fromEntries(settings) });
  return typeof named === 'string' ? named : { ...named, notes: [...named.notes, ...remote.notes] };
}
