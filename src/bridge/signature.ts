/**
 * How the two ends prove to each other who they are. A request has
 *
 *     Authorization: XSYNC-HMAC-SHA256 t=<seconds since 1970>,nonce=<32 hex digits>,v1=<hex>
 *
 * where v1 is the HMAC-SHA256 of the lines `request`, method, path with query, t, nonce, and the SHA-256 of the body. A
 * response has `X-Xsync-Signature: v1=<hex>` of the lines `response`, nonce of the request, status, and SHA-256 of the body,
 * so that nobody between them can say that a ticket is done.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** How far the clocks of the two ends may be apart; a nonce is remembered for as long. */
export const WINDOW_MS = 5 * 60_000;

export interface Signable {
  method: string;
  /** With the query. */
  path: string;
  body: string;
}

const SCHEME = 'XSYNC-HMAC-SHA256';

/** The value of the header, and the nonce in it. */
export function signRequest(secret: string, request: Signable, nowMs: number): { header: string; nonce: string } {
  const nonce = randomBytes(16).toString('hex');
  const t = Math.floor(nowMs / 1000);
  return { header: `${SCHEME} t=${t},nonce=${nonce},v1=${requestSum(secret, request, String(t), nonce)}`, nonce };
}

/** `atMs`: when it was signed, by the clock of whoever signed it. */
export type Verified = { nonce: string; secret: string; atMs: number } | { refused: 'unsigned' | 'signature' | 'time' };

/** The caller must still check that the nonce is new. */
export function verifyRequest(
  secrets: readonly string[],
  request: Signable,
  header: string | undefined,
  nowMs: number,
): Verified {
  const [, t, nonce, sum] =
    /^XSYNC-HMAC-SHA256 t=(\d{1,12}),nonce=([0-9a-f]{32}),v1=([0-9a-f]{64})$/.exec(header ?? '') ?? [];
  if (t === undefined || nonce === undefined || sum === undefined) return { refused: 'unsigned' };
  // All are tried, so that the time does not tell which one is right.
  const right = secrets.filter((secret) => same(requestSum(secret, request, t, nonce), sum));
  const [secret] = right;
  if (secret === undefined) return { refused: 'signature' };
  const atMs = Number(t) * 1000;
  return Math.abs(atMs - nowMs) > WINDOW_MS ? { refused: 'time' } : { nonce, secret, atMs };
}

export function signResponse(secret: string, nonce: string, status: number, body: string): string {
  return `v1=${hmac(secret, ['response', nonce, String(status), sha256(body)])}`;
}

export function verifyResponse(
  secret: string,
  nonce: string,
  { status, body, header = '' }: { status: number; body: string; header: string | undefined },
): boolean {
  return same(signResponse(secret, nonce, status, body), header);
}

function requestSum(secret: string, { method, path, body }: Signable, t: string, nonce: string): string {
  return hmac(secret, ['request', method, path, t, nonce, sha256(body)]);
}

function hmac(secret: string, lines: readonly string[]): string {
  return createHmac('sha256', secret).update(lines.join('\n')).digest('hex');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** In constant time. */
function same(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => createHash('sha256').update(text).digest());
  return x !== undefined && y !== undefined && timingSafeEqual(x, y);
}
