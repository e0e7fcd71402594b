/** What the rules of both vendors are made with. Tests: test/rules/import.test.ts */
import type { ImportNote } from './notes.js';

export interface ImportOptions {
  /** Name of the file, for messages. */
  file: string;
  /** The bucket with the configuration, which does not name it: `remote:bucket`. */
  source: string;
  /** The remote of the destinations, with its colon or slashes; absent: that of the source. */
  destination?: string;
}

export interface ImportedRule {
  name: string;
  /** Under the keys of a rule. */
  settings: Record<string, unknown>;
  notes: ImportNote[];
}

export class Draft {
  readonly #options: ImportOptions;
  readonly #names = new Set<string>();

  constructor(options: ImportOptions) {
    this.#options = options;
  }

  /** The ID as a rule's name. */
  nameFor(id: string | undefined, index: number): string {
    const bare = (id ?? '').replace(/[^A-Za-z0-9_.-]+/g, '-').replace(/^-+|-+$/g, '') || `rule-${index + 1}`;
    let name = bare;
    for (let n = 2; this.#names.has(name); n++) name = `${bare}-${n}`;
    this.#names.add(name);
    return name;
  }

  /** The places of a rule. A prefix that is a folder becomes part of both, which lists less than a filter. */
  places(bucket: string, prefixes: readonly string[]): Record<string, unknown> {
    const { source, destination = /^[^:]+:(?:\/\/)?/.exec(source)?.[0] ?? '' } = this.#options;
    const [only = ''] = prefixes;
    const isFolder = prefixes.length <= 1 && (only === '' || only.endsWith('/'));
    const below = isFolder ? only : '';
    return {
      source: `${source.replace(/\/$/, '')}${below === '' ? '' : `/${below}`}`,
      destination: `${destination}${bucket}${below === '' ? '' : `/${below}`}`,
      ...(!isFolder && { prefixes: [...prefixes] }),
    };
  }
}
