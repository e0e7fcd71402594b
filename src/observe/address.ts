/** Where a server of ours listens, as a person types it. */
import { XsyncError } from '../model/error.js';

export interface ListenAddress {
  /** Name or address, an IPv6 one without brackets. */
  host: string;
  /** 0 for any free one. */
  port: number;
}

const LOOPBACK = '127.0.0.1';
const MOST_PORT = 65_535;

/**
 * `:9090`, `9090`, `0.0.0.0:9090`, `[::1]:9090` or `name:9090`. Without a host only this machine is served, unlike
 * rclone, which would serve everybody.
 * @throws usage
 */
export function parseListenAddress(option: string, text: string): ListenAddress {
  const match = /^(?:\[([\da-f:.]+)\]:|([^:[\]\s/]*):)?(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > MOST_PORT) {
    const message = `${option}: "${text}" is not an address such as :9090, 0.0.0.0:9090 or [::1]:9090`;
    throw new XsyncError('usage', message, { subject: option });
  }
  return { host: match[1] || match[2] || LOOPBACK, port };
}

export function urlOf({ host, port }: ListenAddress): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
