/** A config file as YAML with the places of its parts, so that every complaint names line and column. */
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

export class ConfigDocument {
  readonly file: string;
  readonly yaml: Document.Parsed | Document;
  readonly #text: string;
  readonly #lines = new LineCounter();
  readonly #references = new Set<unknown>();

  /** @throws XsyncError `config` when the text is no YAML; never repeats the text, which may hold secrets. */
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
    // What the parser quotes from the file comes after a colon or a backslash.
    const reason = error.code === 'DUPLICATE_KEY' ? `${word} stands here a second time` : error.message;
    return `${this.#place(error.pos[0])}: ${reason.replace(/\s*(?:: |\\).*/s, '')}`;
  }

  /** Secrets may start with the signs of YAML's aliases, anchors and tags, for which a config has no use. */
  #unquoted(): string[] {
    const faults: string[] = [];
    visit(this.yaml, {
      Node: (_, node) => {
        const marked = isAlias(node) || node.anchor !== undefined || node.tag !== undefined;
        if (!marked) return;
        const at = node.range ? this.#place(node.range[0]) : this.file;
        faults.push(`${at}: a value that starts with "*", "&" or "!" must stand in quotes`);
      },
    });
    return faults;
  }

  #place(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.file}:${line}:${col}`;
  }

  /** `file:line:column` of the deepest part of the path that exists: of its key, or of its value. */
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
   * Plain data with every `${NAME}` filled in. The document is changed by it. What is missing inside a remote makes that
   * remote alone unusable: `unset` has its complaints by the remote's name.
   */
  filled(env: Environment): { data: unknown; unset: Map<string, string[]> } {
    const faults: string[] = [];
    const unset = new Map<string, string[]>();
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
          const remote = remoteAround(path);
          if (remote === undefined) faults.push(complaint);
          else unset.set(remote, [...(unset.get(remote) ?? []), complaint]);
        }
      },
    });
    if (faults.length > 0) throw new XsyncError('config', faults.join('\n'), { subject: this.file });
    return { data: this.yaml.toJS(), unset };
  }

  /** True when `filled` put something of the environment into the value at this path. */
  wasReference(path: readonly string[]): boolean {
    return this.#references.has(this.yaml.getIn(path, true));
  }

  /**
   * What stands under `remotes:` in the document's data, raw or filled.
   * @throws XsyncError `config` when the document has another shape.
   */
  remotes(data: unknown): [name: string, value: unknown][] {
    if (data === null || data === undefined) return [];
    if (!isRecord(data)) throw this.#fault([], 'value', 'the config must start with "remotes:"');
    const stranger = Object.keys(data).find((key) => key !== 'remotes');
    if (stranger !== undefined) {
      const hint = didYouMean(stranger, ['remotes']) || '; the only one is "remotes"';
      throw this.#fault([stranger], 'key', `unknown key "${stranger}"${hint}`);
    }
    const { remotes } = data;
    if (remotes === null || remotes === undefined) return [];
    if (!isRecord(remotes)) throw this.#fault(['remotes'], 'value', '"remotes" must hold a name for each remote');
    return Object.entries(remotes);
  }

  #fault(path: readonly string[], part: 'key' | 'value', text: string): XsyncError {
    return new XsyncError('config', `${this.place(path, part)}: ${text}`, { subject: this.file });
  }

  /** True when a secret itself stands in the file, and not only the name of a variable that holds it. */
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
      : holdsSecrets(inner),
  );
}

/** The name of the remote that a node lies in, from the pairs on the way to it. */
function remoteAround(path: readonly unknown[]): string | undefined {
  const [top, name] = path.filter(isPair).map(({ key }) => String(key));
  return top === 'remotes' ? name : undefined;
}
