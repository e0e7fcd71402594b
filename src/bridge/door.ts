/**
 * Who may ask an end of a bridge, and what they are told. In the terms of HTTP, but of no server, so that a function in a
 * cloud can answer in the same way. Tests: test/bridge/pull/server.test.ts
 */
import type * as z from 'zod';
import { HttpError } from '../inbound/http-error.js';
import type { Audit } from './pull/audit.js';
import { signResponse, verifyRequest, WINDOW_MS } from './signature.js';

export interface Asked {
  method: string;
  /** As it was signed: after what a reverse proxy has removed. */
  path: string;
  authorization: string | undefined;
  body: string;
  /** Address of whoever asks. */
  from: string | undefined;
  /** Fingerprint of the client certificate that was demanded and checked. */
  certificate?: string;
}

export interface Answered {
  status: number;
  headers: Record<string, string>;
  body: string;
  /** Whoever asked has shown who they are. */
  proved: boolean;
}

/** Who asks, once it is known. */
export interface Caller {
  /** What distinguishes one from another. */
  peer: string;
  /** Absent if a certificate is enough. */
  signed?: { secret: string; nonce: string };
}

export type Work = (text: string, caller: Caller) => Promise<{ status: number; body: unknown }>;

export interface DoorMeans {
  /** Any of them is accepted; none: a client certificate is enough. */
  secrets(): readonly string[];
  /** Remembers a nonce until a time. @returns false if it was known */
  once(nonce: string, untilMs: number, nowMs: number): Promise<boolean>;
  audit: Audit;
}

export class Door {
  readonly #means: DoorMeans;
  readonly #routes: Readonly<Record<string, Work>>;

  /** @param routes of POST, by path */
  constructor(means: DoorMeans, routes: Readonly<Record<string, Work>>) {
    this.#means = means;
    this.#routes = routes;
  }

  /** Before the body is read; the signature is checked with it. @throws HttpError */
  glance({ authorization, certificate }: Pick<Asked, 'authorization' | 'certificate'>): void {
    if (this.#isEnough(certificate)) return;
    const checked = verifyRequest(this.#means.secrets(), NOTHING, authorization, Date.now());
    if ('refused' in checked && checked.refused === 'unsigned') throw unauthorized('the request is not signed');
  }

  async answer(asked: Asked): Promise<Answered> {
    let caller: Caller | undefined;
    try {
      this.glance(asked);
      const work = Object.hasOwn(this.#routes, asked.path) ? this.#routes[asked.path] : undefined;
      if (asked.method !== 'POST' || !work) throw new HttpError(404, 'there is nothing here');
      caller = await this.#admit(asked);
      const { status, body } = await work(asked.body, caller);
      return answerOf({ status, body }, caller);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      return this.refuse(error, asked.from, caller);
    }
  }

  /** Logs it, too. */
  refuse({ status, message, headers }: HttpError, from: string | undefined, caller?: Caller): Answered {
    this.#means.audit.refuse({ event: 'refused', from, status, message });
    return answerOf({ status, headers, body: { error: message } }, caller);
  }

  #isEnough(certificate: string | undefined): boolean {
    return certificate !== undefined && this.#means.secrets().length === 0;
  }

  /** @throws HttpError */
  async #admit({ method, path, body, authorization, from = '', certificate }: Asked): Promise<Caller> {
    const peer = certificate ?? from;
    if (this.#isEnough(certificate)) return { peer };
    const nowMs = Date.now();
    const checked = verifyRequest(this.#means.secrets(), { method, path, body }, authorization, nowMs);
    if ('refused' in checked) {
      throw unauthorized(
        checked.refused === 'time' ? 'the request was signed at another time' : 'the signature is wrong',
      );
    }
    if (await this.#means.once(checked.nonce, nowMs + 2 * WINDOW_MS, nowMs)) return { peer, signed: checked };
    throw unauthorized('the request was received before');
  }
}

const NOTHING = { method: '', path: '', body: '' };

function answerOf(
  { status, headers = {}, body }: { status: number; headers?: Record<string, string>; body: unknown },
  caller: Caller | undefined,
): Answered {
  const text = JSON.stringify(body);
  const { signed } = caller ?? {};
  const signature = signed && { 'x-xsync-signature': signResponse(signed.secret, signed.nonce, status, text) };
  return {
    status,
    headers: { ...headers, ...signature, 'content-type': 'application/json' },
    body: text,
    proved: caller !== undefined,
  };
}

function unauthorized(message: string): HttpError {
  return new HttpError(401, message, { 'www-authenticate': 'XSYNC-HMAC-SHA256' });
}

/** @throws HttpError */
export function readBody<T>(schema: z.ZodType<T>, text: string): T {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new HttpError(400, 'the body is not JSON');
  }
  const { success, data, error } = schema.safeParse(given);
  if (success) return data;
  const [issue] = error.issues;
  throw new HttpError(400, `${issue?.path.join('.')}: ${issue?.message}`);
}
