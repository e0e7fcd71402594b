/**
 * A config file as YAML with the positions of its parts, so that every error names line and column.
 * Tests: test/config/load.test.ts
 */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import { XsyncError } from '../model/error.js';
import { didYouMean } from './nearest.js';
import { type Environment, fillReferences, isOnlyReferences, ReferenceFault } from './references.js';
import { isSecretKey } from './schema.js';

/** Of the whole file. */
const SECTIONS: readonly string[] = ['remotes', 'storage_classes', 'rules'];

/** Errors of unset variables, by the name of what they make unusable. */
export type Unset = ReadonlyMap<string, readonly string[]>;

export class ConfigDocument {
  readonly file: string;
  readonly yaml: Document.Parsed | Document;
  readonly #text: string;
  readonly #lines = new LineCounter();
  readonly #references = new Set<unknown>();

  /** @throws config: when the text is not YAML. The message never quotes the text, which may contain secrets. */
  constructor(text: string, file: string) {
    this.file = file;
    this.#text = text;
    this.yaml = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    const faults =
      this.yaml.errors.length > 0 ? this.yaml.errors.map((error) => this.#describe(error)) : this.#unquoted();
    if (faults.length > 0) throw new XsyncError('config', faults.join('\n'), { subject: file });
  }

  #describe(error: YAMLError): string {
    const word = /^[\w.-]+/.exec(this.#text.slice(error.pos[0]))?.[0] ?? 'this name';
    // The parser's quotes from the file follow a colon or a backslash.
    const reason = error.code === 'DUPLICATE_KEY' ? `${word} is a duplicate key` : error.message;
    return `${this.#place(error.pos[0])}: ${reason.replace(/\s*(?:: |\\).*/s, '')}`;
  }

  /** Aliases, anchors and tags of YAML are refused, because a secret may start with one of their characters. */
  #unquoted(): string[] {
    const faults: string[] = [];
    visit(this.yaml, {
      Node: (_, node) => {
        const marked = isAlias(node) || node.anchor !== undefined || node.tag !== undefined;
        if (!marked) return;
        const at = node.range ? this.#place(node.range[0]) : this.file;
        faults.push(`${at}: a value that starts with "*", "&" or "!" must be in quotes`);
      },
    });
    return faults;
  }

  #place(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.file}:${line}:${col}`;
  }

  /** `file:line:column` of the key or value at the path, or at the deepest part of the path that exists. */
  place(path: readonly PropertyKey[], part: 'key' | 'value'): string {
    let node: unknown = this.yaml.contents;
    let found: Pair | undefined;
    for (const step of path) {
      const next: Pair | undefined = isMap(node)
        ? node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
        : undefined;
      if (next === undefined) break;
      found = next;
      node = next.value;
    }
    const target = isPair(found)
      ? part === 'value' && found.value !== null
        ? found.value
        : found.key
      : this.yaml.contents;
    return isNode(target) && target.range ? this.#place(target.range[0]) : this.file;
  }

  /** Plain data, `${NAME}` as written. */
  raw(): unknown {
    return this.yaml.toJS();
  }

  /**
   * Plain data with every `${NAME}` replaced; changes the document. An unset variable makes only its remote or its rule
   * unusable: `unset` and `unsetRules` have the errors by their names.
   * @throws config: for an invalid reference elsewhere
   */
  filled(env: Environment): { data: unknown; unset: Unset; unsetRules: Unset } {
    const faults: string[] = [];
    const unset = { remotes: new Map<string, string[]>(), rules: new Map<string, string[]>() };
    visit(this.yaml, {
      Scalar: (key, node, path) => {
        if (key === 'key' || typeof node.value !== 'string') return;
        try {
          const filled = fillReferences(node.value, env);
          if (filled !== node.value) this.#references.add(node);
          node.value = filled;
        } catch (error) {
          if (!(error instanceof ReferenceFault)) throw error;
          const complaint = `${node.range ? this.#place(node.range[0]) : this.file}: ${error.message}`;
          const around = entryAround(path);
          if (around === undefined) faults.push(complaint);
          else unset[around.section].set(around.name, [...(unset[around.section].get(around.name) ?? []), complaint]);
        }
      },
    });
    if (faults.length > 0) throw new XsyncError('config', faults.join('\n'), { subject: this.file });
    return { data: this.yaml.toJS(), unset: unset.remotes, unsetRules: unset.rules };
  }

  /** True when `filled` replaced a reference in the value at this path. */
  wasReference(path: readonly string[]): boolean {
    return this.#references.has(this.yaml.getIn(path, true));
  }

  /**
   * The entries under `remotes:` in the document's data, raw or filled.
   * @throws config: when the document has a different shape
   */
  remotes(data: unknown): [name: string, value: unknown][] {
    if (data === null || data === undefined) return [];
    if (!isRecord(data)) throw this.#fault([], 'value', 'the config must start with "remotes:"');
    const stranger = Object.keys(data).find((key) => !SECTIONS.includes(key));
    if (stranger !== undefined) {
      const hint = didYouMean(stranger, SECTIONS) || `; the keys are ${SECTIONS.join(', ')}`;
      throw this.#fault([stranger], 'key', `unknown key "${stranger}"${hint}`);
    }
    const { remotes } = data;
    if (remotes === null || remotes === undefined) return [];
    if (!isRecord(remotes)) throw this.#fault(['remotes'], 'value', '"remotes" must map names to remotes');
    return Object.entries(remotes);
  }

  /** What is under another key than `remotes`, in the document's data. */
  section(data: unknown, key: 'storage_classes' | 'rules'): unknown {
    return isRecord(data) ? (data[key] ?? undefined) : undefined;
  }

  #fault(path: readonly string[], part: 'key' | 'value', text: string): XsyncError {
    return new XsyncError('config', `${this.place(path, part)}: ${text}`, { subject: this.file });
  }

  /** True when the file contains a secret itself, not only references to variables. */
  holdsSecrets(): boolean {
    return holdsSecrets(this.raw());
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function holdsSecrets(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, inner]) =>
    isSecretKey(key) && inner !== null && typeof inner !== 'object'
      ? !isOnlyReferences(String(inner))
      : key === 'proxy' && typeof inner === 'string'
        ? holdsPassword(inner)
        : holdsSecrets(inner),
  );
}

/** A proxy's address with a password that is not a reference. */
function holdsPassword(address: string): boolean {
  const password = /^(?:[a-z][a-z0-9+.-]*:\/\/)?[^:@]*:(.*)@/is.exec(address)?.[1];
  return password !== undefined && !isOnlyReferences(password);
}

/** The remote or the rule that contains a node, from the pairs above the node. */
function entryAround(path: readonly unknown[]): { section: 'remotes' | 'rules'; name: string } | undefined {
  const [top, name] = path.filter(isPair).map(({ key }) => String(key));
  if (name === undefined || (top !== 'remotes' && top !== 'rules')) return undefined;
  return { section: top, name };
}
