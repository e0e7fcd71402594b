/** A small HTTP server of a few pages that programs read. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { XsyncError } from '../model/error.js';
import { type ListenAddress, urlOf } from './address.js';

export interface Page {
  status: number;
  type: string;
  body: string;
}

export interface Listening {
  /** With the port that it got, without a path. */
  url: string;
  close(): Promise<void>;
}

const TIMEOUTS = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 1_000 };
const MOST_CONNECTIONS = 64;

/**
 * @param pages by path
 * @param name of the option that asked for it, for complaints
 * @throws config when it cannot listen there
 */
export async function serve(
  address: ListenAddress,
  pages: Readonly<Record<string, () => Promise<Page>>>,
  name: string,
): Promise<Listening> {
  const server = createServer(TIMEOUTS, (request, response) => void answer(request, response, pages));
  server.maxConnections = MOST_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(error, address, name)));
    server.listen(address.port, address.host, resolve);
  });
  const { address: host, port } = server.address() as AddressInfo;
  return {
    url: urlOf({ host, port }),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  pages: Readonly<Record<string, () => Promise<Page>>>,
): Promise<void> {
  const path = (request.url ?? '').replace(/\?.*$/s, '');
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  const reading = request.method === 'GET' || request.method === 'HEAD';
  const { status, type, body } = !page
    ? plain(404, `there is nothing here: ${Object.keys(pages).join(', ')}`)
    : !reading
      ? plain(405, 'this is read by GET')
      : await page().catch((error: unknown) => plain(500, `internal: ${String(error)}`));
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...(status === 405 && { allow: 'GET, HEAD' }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function plain(status: number, text: string): Page {
  return { status, type: 'text/plain; charset=utf-8', body: `${text}\n` };
}

const REASONS: Record<string, [why: string, remedy: string]> = {
  EADDRINUSE: ['another program listens there', 'choose another port, or end that program'],
  EACCES: ['ports below 1024 need privileges', 'choose a port from 1024 up'],
  EADDRNOTAVAIL: ['this machine has no such address', 'leave the host out, or choose 0.0.0.0 for all addresses'],
  ENOTFOUND: ['there is no such name', 'leave the host out, or choose 0.0.0.0 for all addresses'],
};

function cannotListen(error: NodeJS.ErrnoException, address: ListenAddress, name: string): XsyncError {
  const [why, remedy] = REASONS[error.code ?? ''] ?? [error.message, 'choose another address'];
  const message = `${name}: nothing can be served at ${urlOf(address)}: ${why}`;
  return new XsyncError('config', message, { subject: name, remedy, cause: error });
}
