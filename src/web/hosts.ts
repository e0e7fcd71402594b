/**
 * Under which names the page may be called. A page of a stranger can have its own name lead to this host (DNS rebinding),
 * and would then read the answers as its own: only a name that the page knows is answered. An address is no name that a
 * stranger can have. Tests: test/web/hosts.test.ts
 */
import { hostname } from 'node:os';

export class Hosts {
  readonly #names: ReadonlySet<string>;

  /** @param names the name that the page listens at, and others, such as that of a proxy */
  constructor(names: readonly string[]) {
    this.#names = new Set(['localhost', hostname(), ...names].map((name) => name.toLowerCase().replace(/\.$/, '')));
  }

  /** @param host of the `Host` header, with its port */
  knows(host: string | undefined): boolean {
    const name = nameOf(host);
    if (name === undefined) return false;
    return name.startsWith('[') || /^\d{1,3}(\.\d{1,3}){3}$/.test(name) || this.#names.has(name);
  }
}

function nameOf(host: string | undefined): string | undefined {
  if (host === undefined || !/^(\[[\da-f:.]+\]|[\w.-]+)(:\d+)?$/i.test(host)) return undefined;
  const url = `http://${host}`;
  return URL.canParse(url) ? new URL(url).hostname.replace(/\.$/, '') : undefined;
}

/**
 * Whether a page of the same origin has sent the request, by its `Origin` header. The scheme is not compared: a proxy
 * may speak HTTPS. Browsers send it with every POST.
 */
export function isSameOrigin(origin: string | undefined, host: string | undefined): boolean {
  return (
    origin !== undefined && URL.canParse(origin) && new URL(origin).host === normal(host, new URL(origin).protocol)
  );
}

/** Without the port that the scheme has anyway. */
function normal(host: string | undefined, scheme: string): string | undefined {
  const url = `${scheme}//${host}`;
  return host !== undefined && URL.canParse(url) ? new URL(url).host : undefined;
}
