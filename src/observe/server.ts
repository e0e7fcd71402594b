/** The HTTP server of the pages for monitoring programs. Tests: test/observe/metrics.test.ts */
import { type ListenAddress, urlOf } from '../inbound/address.js';
import { HttpError } from '../inbound/error.js';
import { createInbound, type InboundLimits, listen, type Refuse } from '../inbound/server.js';

export interface Page {
  status: number;
  type: string;
  body: string;
}

export interface Listening {
  /** With the port that was assigned, without a path. */
  url: string;
  close(): Promise<void>;
}

/** Pages take no body. */
const LIMITS: InboundLimits = { bodyBytes: 1024, headersMs: 10_000, requestMs: 30_000, connections: 64 };

/**
 * @param pages by path
 * @param name of the command-line option, for messages
 * @throws config when it cannot listen there
 */
export async function servePages(
  address: ListenAddress,
  pages: Readonly<Record<string, () => Promise<Page>>>,
  name: string,
): Promise<Listening> {
  const server = await createInbound(LIMITS, refuse);
  server.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    if (!request.is404) return;
    const there = Object.hasOwn(pages, request.url.replace(/\?.*$/s, ''));
    if (there) throw new HttpError(405, 'use GET', { allow: 'GET, HEAD' });
    throw new HttpError(404, `not found; the pages are ${Object.keys(pages).join(', ')}`);
  });
  for (const [path, page] of Object.entries(pages)) {
    server.get(path, async (_request, reply) => {
      const { status, type, body } = await page();
      return reply.code(status).type(type).send(body);
    });
  }
  const listening = await listen(server, address, `${name}: cannot listen at ${urlOf(address)}`, name);
  return { url: urlOf(listening), close: () => server.close() };
}

const refuse: Refuse = ({ status, message, headers }, _request, reply) =>
  reply.code(status).headers(headers).type('text/plain; charset=utf-8').send(`${message}\n`);
