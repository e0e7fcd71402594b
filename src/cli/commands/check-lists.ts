/** The lists of keys that a check writes: `--combined`, `--differ` and so on. Tests: test/e2e/check.test.ts */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { CheckEvent, Verdict } from '../../engine/check/findings.js';
import type { Output } from '../output.js';
import { unwritten } from '../output.js';
import { keyText } from '../render/printable.js';

export interface ReportLists {
  combined?: string;
  missingOnSrc?: string;
  missingOnDst?: string;
  match?: string;
  differ?: string;
  error?: string;
}

type Kind = Verdict | 'error';

/** rclone's: `-` only at the destination, `+` only at the source. */
const SYMBOL: Record<Kind, string> = {
  match: '=',
  'missing-on-src': '-',
  'missing-on-dst': '+',
  differ: '*',
  error: '!',
};

const FLAG = {
  match: 'match',
  'missing-on-src': 'missingOnSrc',
  'missing-on-dst': 'missingOnDst',
  differ: 'differ',
  error: 'error',
} as const satisfies Record<Kind, keyof ReportLists>;

const STDOUT = '-';
/** Characters to buffer before a write. */
const BUFFER = 64 * 1024;

export class CheckLists {
  readonly #flags: ReportLists;
  readonly #sinks: ReadonlyMap<string, Sink>;
  readonly #terminal: boolean;

  /** @throws not-writable when a file cannot be created */
  constructor(flags: ReportLists, out: Output) {
    this.#flags = flags;
    this.#terminal = out.isTerminal;
    const { combined, missingOnSrc, missingOnDst, match, differ, error } = flags;
    const names = new Set([combined, missingOnSrc, missingOnDst, match, differ, error]);
    names.delete(undefined);
    this.#sinks = new Map(
      [...names].map((name = '') => [name, name === STDOUT ? new ToOutput(out) : new ToFile(name)]),
    );
  }

  /** A list goes to standard output. */
  get onStdout(): boolean {
    return this.#sinks.has(STDOUT);
  }

  /** The caller must await the promise, if any. @throws disk-full, not-writable; OutputClosed */
  add(event: CheckEvent): Promise<void> | undefined {
    if (event.type !== 'checked' && event.type !== 'failed') return undefined;
    const kind = event.type === 'failed' ? 'error' : event.verdict;
    // An ID has no spaces, a key may have some.
    const version = 'versionId' in event && event.versionId !== undefined ? `${event.versionId} ` : '';
    const own = this.#add(this.#flags[FLAG[kind]], version, event.key);
    const combined = this.#add(this.#flags.combined, `${SYMBOL[kind]} ${version}`, event.key);
    return own && combined ? Promise.all([own, combined]).then(() => undefined) : (own ?? combined);
  }

  #add(name: string | undefined, prefix: string, key: string): Promise<void> | undefined {
    const sink = name === undefined ? undefined : this.#sinks.get(name);
    return sink?.add(`${prefix}${name === STDOUT && this.#terminal ? keyText(key) : key}\n`);
  }

  async close(): Promise<void> {
    for (const sink of this.#sinks.values()) await sink.close();
  }
}

interface Sink {
  add(line: string): Promise<void> | undefined;
  close(): Promise<void>;
}

class ToOutput implements Sink {
  readonly #out: Output;
  #text = '';

  constructor(out: Output) {
    this.#out = out;
  }

  add(line: string): Promise<void> | undefined {
    this.#text += line;
    return this.#text.length < BUFFER && !this.#out.isTerminal ? undefined : this.close();
  }

  async close(): Promise<void> {
    const text = this.#text;
    this.#text = '';
    await this.#out.write(text);
  }
}

class ToFile implements Sink {
  readonly #name: string;
  readonly #descriptor: number;
  #text = '';

  constructor(name: string) {
    this.#name = name;
    this.#descriptor = this.#try(() => openSync(name, 'w'));
  }

  add(line: string): undefined {
    this.#text += line;
    if (this.#text.length >= BUFFER) this.#flush();
  }

  async close(): Promise<void> {
    this.#flush();
    closeSync(this.#descriptor);
  }

  #flush(): void {
    const text = this.#text;
    this.#text = '';
    this.#try(() => {
      const bytes = Buffer.from(text, 'utf8');
      for (let at = 0; at < bytes.byteLength; ) at += writeSync(this.#descriptor, bytes, at);
    });
  }

  #try<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw unwritten(this.#name, this.#name, 'name another file for the list', error);
    }
  }
}
