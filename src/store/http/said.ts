/**
 * Text and meaning of the error answers of S3 and OSS, as far as both services have them in common.
 * Tests: test/store/refused.test.ts
 */
import type { ErrorCode } from '../../model/error.js';

/** Longest text of a service in a message, in characters. Those of S3 and OSS are much shorter. */
const LONGEST = 500;

/** Request headers that must not be shown: the signature, the token of temporary credentials, and keys of the customer. */
const SECRET = [
  ...['authorization', 'x-amz-security-token', 'x-oss-security-token'],
  ...['', 'copy-source-'].flatMap((of) =>
    ['key', 'key-md5'].map((name) => `x-amz-${of}server-side-encryption-customer-${name}`),
  ),
];

/** Shorter parts of a header are words, not signatures. */
const SHORTEST_SIGNATURE = 20;

/**
 * Prepares what a service says for messages: shortens it, and removes the secrets of the request that it answers. Some
 * services and proxies repeat the headers that they received.
 * @param sent the headers of the request, with lower-case or mixed-case names
 */
export function saidTo(sent: Readonly<Record<string, unknown>>): (text: string) => string {
  const secrets = Object.entries(sent).flatMap(([name, value]) => {
    if (typeof value !== 'string' || !SECRET.some((secret) => secret === name.toLowerCase())) return [];
    // A service may repeat only the last part of `Credential=…, Signature=…` or `OSS id:signature`.
    const signature = /[^\s,:=]+=*$/.exec(value)?.[0] ?? '';
    return signature.length >= SHORTEST_SIGNATURE ? [value, signature] : [value];
  });
  return (text) => {
    const clean = secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
    return clean.length > LONGEST ? `${clean.slice(0, LONGEST)}…` : clean;
  };
}

/**
 * The meaning of an error code that has no entry of its own. Services add codes at any time, and pass on those of their
 * key services (`KMS.ThrottlingException`). Nobody knows that such an error will last, so it counts as temporary.
 */
export function unknownCode(status: number, serviceCode: string | undefined): ErrorCode | undefined {
  if (/throttl|slow_?down|too_?many|rate_?exceeded|limit_?exceeded|busy/i.test(serviceCode ?? '')) return 'throttled';
  if (/^kms\b/i.test(serviceCode ?? '')) return 'server-error';
  return [409, 423, 425, 499].includes(status) ? 'server-error' : undefined;
}
