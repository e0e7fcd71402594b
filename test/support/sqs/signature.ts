import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { refuse } from './queue.js';

interface Keys {
  accessKeyId: string;
  secretAccessKey: string;
  region: string;
}

/** Signature Version 4 of the service `sqs`. @throws SqsRefusal */
export function verifySignature(request: IncomingMessage, body: string, keys: Keys): void {
  const { headers } = request;
  const given = /^AWS4-HMAC-SHA256 Credential=([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;
  const [, credential = '', signed = '', signature] = given.exec(headers.authorization ?? '') ?? [];
  if (signature === undefined)
    throw refuse('MissingAuthenticationToken', 'Request is missing Authentication Token', 403);
  const date = String(headers['x-amz-date']);
  const scope = `${date.slice(0, 8)}/${keys.region}/sqs/aws4_request`;
  if (credential !== `${keys.accessKeyId}/${scope}`) {
    throw refuse('InvalidClientTokenId', 'The security token included in the request is invalid.', 403);
  }
  const canonical = [
    'POST',
    '/',
    '',
    ...signed.split(';').map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    signed,
    sha256(body),
  ].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const key = scope
    .split('/')
    .reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${keys.secretAccessKey}`);
  if (hmac(key, toSign).toString('hex') !== signature) {
    throw refuse('SignatureDoesNotMatch', 'The request signature we calculated does not match.', 403);
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
