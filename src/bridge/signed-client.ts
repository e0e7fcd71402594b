/** Posts signed requests to the other end, and checks who answers. Tests: test/bridge/pull/server.test.ts */
import type * as z from 'zod';
import { XsyncError } from '../model/error.js';
import { retryAfterMs } from '../store/http/retry-after.js';
import type { HttpTransport } from '../store/http/transport.js';
import { signRequest, verifyResponse } from './signature.js';

export class SignedClient {
  readonly #transport: HttpTransport;
  readonly #origin: string;
  readonly #base: string;
  readonly #secret: () => string | undefined;
  readonly #signal: AbortSignal | undefined;

  /**
   * @param url of the other end; a path before `/v1` is that of a reverse proxy
   * @param secret what signs now; undefined: certificates prove who asks and who answers
   * @param signal ends requests that are not answered
   */
  constructor(transport: HttpTransport, url: string, secret: () => string | undefined, signal?: AbortSignal) {
    const { origin, pathname } = new URL(url);
    this.#transport = transport;
    this.#origin = origin;
    this.#base = pathname.replace(/\/$/, '');
    this.#secret = secret;
    this.#signal = signal;
  }

  async post<T>(path: string, given: unknown, schema: z.ZodType<T>): Promise<T> {
    const body = JSON.stringify(given);
    const signable = { method: 'POST', path: this.#base + path, body };
    // A proxy may have removed its own part of the path, so that only what follows is signed.
    const secret = this.#secret();
    const signed = secret === undefined ? undefined : signRequest(secret, { ...signable, path }, Date.now());
    const headers = { 'content-type': 'application/json', ...(signed && { authorization: signed.header }) };
    const answer = await this.#transport.request({ ...signable, origin: this.#origin, headers, signal: this.#signal });
    const text = answer.body.toString('utf8');
    const said = { status: answer.status, body: text, header: answer.headers['x-xsync-signature'] };
    if (answer.status >= 300) throw this.#refusal(answer.status, text, answer.headers);
    if (signed && secret !== undefined && !verifyResponse(secret, signed.nonce, said)) {
      throw new XsyncError('invalid-response', `${this.#origin} did not sign its answer with our secret`, {
        subject: this.#origin,
      });
    }
    const { success, data } = schema.safeParse(jsonOf(text));
    if (success) return data;
    throw new XsyncError('invalid-response', `${this.#origin} answers what no end of a bridge does`, {
      subject: this.#origin,
    });
  }

  #refusal(status: number, text: string, headers: Record<string, string>): XsyncError {
    const said = saidIn(text);
    const details = { subject: this.#origin, status, retryAfterMs: retryAfterMs(headers) };
    const how = status === 429 ? 'asks to slow down' : 'refuses the request';
    const message = `${this.#origin} ${how}: ${said ?? status}`;
    if (status === 401) {
      const remedy = 'Give both ends the same secret, and check their clocks and the client certificate.';
      return new XsyncError('bad-credentials', message, { ...details, remedy });
    }
    return new XsyncError(
      status === 429 ? 'throttled' : status >= 500 ? 'server-error' : 'invalid-response',
      message,
      details,
    );
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function saidIn(text: string): string | undefined {
  const said = jsonOf(text);
  if (typeof said !== 'object' || said === null || !('error' in said)) return undefined;
  return String(said.error).slice(0, 200);
}
