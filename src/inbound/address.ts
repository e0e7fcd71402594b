/** Parses the addresses that servers listen on. Tests: test/observe/targets.test.ts */
import { XsyncError } from '../model/error.js';

export interface ListenAddress {
  /** Name or address; IPv6 without brackets. */
  host: string;
  /** 0 for any free port. */
  port: number;
}

/** The default host serves only this host, unlike rclone, which listens on all addresses. */
const LOOPBACK = '127.0.0.1';

/**
 * `:9090`, `9090`, `0.0.0.0:9090`, `[::1]:9090` or `name:9090`.
 * @throws usage
 */
export function parseListenAddress(option: string, text: string): ListenAddress {
  const bare = /^\d+$/.test(text) ? `:${text}` : text;
  const form = /^(\[[\da-f:.]+\]|[^:[\]\s/\\@?#]*):\d+$/i.test(bare);
  const url = form ? parseListenUrl(bare.startsWith(':') ? bare : `http://${bare}`) : undefined;
  if (url) return addressOf(url);
  const message = `${option}: "${text}" is not an address such as :9090, 0.0.0.0:9090 or [::1]:9090`;
  throw new XsyncError('usage', message, { subject: option });
}

/** Parses `http://HOST:PORT/PATH`, or `:PORT/PATH` for this host only; undefined if it is not a URL. */
export function parseListenUrl(text: string): URL | undefined {
  const full = /^:\d+(\/|$)/.test(text) ? `http://${LOOPBACK}${text}` : text;
  return /^https?:\/\//.test(full) && URL.canParse(full) ? new URL(full) : undefined;
}

export function addressOf({ hostname, port }: URL): ListenAddress {
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) };
}

export function urlOf({ host, port }: ListenAddress, scheme = 'http'): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
