/**
 * Who may ask an end of a bridge, and the form of what they are told: in the terms of HTTP, but of no server, so that a
 * function that a cloud calls can answer in the same way. Tests: test/bridge/pull/server.test.ts
 */
import type * as z from 'zod';
import { HttpError } from '../inbound/error.js';
import type { Audit } from './pull/audit.js';
import { signResponse, verifyRequest, WINDOW_MS } from './signature.js';

/** A request as it was signed. */
export interface Asked {
  method: string;
  /** With the query. */
  path: string;
  body: string;
  authorization?: string;
  /** Address of the caller, for the audit log. */
  from?: string;
  /** Fingerprint of the client certificate that was demanded and checked. */
  certificate?: string;
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** @param peer what distinguishes one caller from another */
export type Work = (text: string, peer: string) => Promise<{ status: number; body: unknown }>;

export interface DoorMeans {
  /** Any of them is accepted; none: a client certificate is enough. */
  secrets(): readonly string[];
  /** Remembers a nonce until a time. @returns false if it was known */
  once(nonce: string, untilMs: number, nowMs: number): Promise<boolean>;
  audit: Pick<Audit, 'refuse'>;
  /** What was signed before is refused, because its nonce may be forgotten, ms since 1970. */
  sinceMs?: number;
}

/** How the answer is signed; undefined: it needs no signature. */
type Signing = { secret: string; nonce: string } | undefined;

const JSON_TYPE = { 'content-type': 'application/json' };

export class Door {
  readonly #means: DoorMeans;
  readonly #routes: ReadonlyMap<string, Work>;

  /** @param routes by method and path */
  constructor(means: DoorMeans, routes: ReadonlyMap<string, Work>) {
    this.#means = means;
    this.#routes = routes;
  }

  /** Before the body is read; the signature is checked with it. @throws HttpError */
  refuseUnsigned(authorization: string | undefined, certificate?: string): void {
    if (this.#isEnough(certificate)) return;
    const nothing = { method: '', path: '', body: '' };
    const checked = verifyRequest(this.#means.secrets(), nothing, authorization, Date.now());
    if ('refused' in checked && checked.refused === 'unsigned') throw unauthorized('the request is not signed');
  }

  /** @returns a signed response @throws HttpError: the caller is unknown, or asks for what is not there */
  async answer(asked: Asked): Promise<Answer> {
    const work = this.#routes.get(`${asked.method} ${asked.path.replace(/\?.*/, '')}`);
    if (!work) throw new HttpError(404, 'there is nothing here');
    this.refuseUnsigned(asked.authorization, asked.certificate);
    const signing = await this.#admit(asked);
    try {
      const { status, body } = await work(asked.body, asked.certificate ?? asked.from ?? '');
      return signed(status, body, signing);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      this.#note(error, asked.from);
      const { status, headers, body } = signed(error.status, { error: error.message }, signing);
      return { status, headers: { ...error.headers, ...headers }, body };
    }
  }

  /** The response to a caller who is not known. */
  refusal(error: HttpError, from: string | undefined): Answer {
    this.#note(error, from);
    const headers = { ...error.headers, ...JSON_TYPE };
    return { status: error.status, headers, body: JSON.stringify({ error: error.message }) };
  }

  #isEnough(certificate: string | undefined): boolean {
    return certificate !== undefined && this.#means.secrets().length === 0;
  }

  /** @throws HttpError */
  async #admit({ method, path, body, authorization, certificate }: Asked): Promise<Signing> {
    if (this.#isEnough(certificate)) return undefined;
    const nowMs = Date.now();
    const checked = verifyRequest(this.#means.secrets(), { method, path, body }, authorization, nowMs);
    if ('refused' in checked && checked.refused !== 'time') throw unauthorized('the signature is wrong');
    if ('refused' in checked || checked.atMs < (this.#means.sinceMs ?? 0)) {
      throw unauthorized('the request was signed at another time');
    }
    if (await this.#means.once(checked.nonce, nowMs + 2 * WINDOW_MS, nowMs)) return checked;
    throw unauthorized('the request was received before');
  }

  #note({ status, message }: HttpError, from: string | undefined): void {
    this.#means.audit.refuse({ event: 'refused', from, status, message });
  }
}

function signed(status: number, said: unknown, signing: Signing): Answer {
  const body = JSON.stringify(said);
  const signature = signing && { 'x-xsync-signature': signResponse(signing.secret, signing.nonce, status, body) };
  return { status, headers: { ...JSON_TYPE, ...signature }, body };
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
