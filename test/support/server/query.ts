import { ServiceError } from './errors.js';

/** A decoded query string, in order. `+` means a space, as in both services. */
export class Query {
  readonly entries: readonly (readonly [name: string, value: string])[];
  readonly #values: Map<string, string>;

  constructor(raw: string) {
    const pairs = raw === '' ? [] : raw.split('&').filter((pair) => pair !== '');
    this.entries = pairs.map((pair) => {
      const at = pair.indexOf('=');
      const name = at < 0 ? pair : pair.slice(0, at);
      return [decode(name), at < 0 ? '' : decode(pair.slice(at + 1))] as const;
    });
    this.#values = new Map(this.entries);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** As if the parameter had not been sent. */
  forget(name: string): void {
    this.#values.delete(name);
  }

  /** Undefined when absent. */
  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** A whole number of at least `min`; larger values than `max` become `max`. @throws InvalidArgument */
  integer(name: string, fallback: number, min: number, max: number): number {
    const text = this.#values.get(name);
    if (text === undefined || text === '') return fallback;
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min) {
      throw new ServiceError('InvalidArgument', { elements: { ArgumentName: name, ArgumentValue: text } });
    }
    return Math.min(value, max);
  }
}

function decode(text: string): string {
  return decodeComponent(text.replaceAll('+', ' '));
}

/** Percent-decodes UTF-8. @throws InvalidArgument for anything else */
export function decodeComponent(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new ServiceError('InvalidArgument', { message: `Couldn't parse the specified URI: ${String(cause)}` });
  }
}

/** Percent-encodes all but the unreserved characters of RFC 3986 and, with `keepSlash`, `/`. */
export function encodeUri(text: string, keepSlash = false): string {
  if (/^[A-Za-z0-9\-._~]*$/.test(text)) return text;
  const encoded = encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return keepSlash ? encoded.replaceAll('%2F', '/') : encoded;
}
