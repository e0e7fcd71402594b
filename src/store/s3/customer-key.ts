/**
 * Encryption with a key of the customer (SSE-C): the service keeps no key, and every request for the data or the headers of
 * an object has it (https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html).
 * Tests: test/store/s3/customer-key.test.ts
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { reasonOf } from '../../model/errno.js';
import { isXsyncError, XsyncError } from '../../model/error.js';

/** A key as headers. They are secret, the MD5 included. */
export interface CustomerKey {
  /** Of a request for an object, or for a part of an upload. */
  own: Readonly<Record<string, string>>;
  /** Of a copy, for its source. */
  source: Readonly<Record<string, string>>;
}

const KEY_BYTES = 32;

/** @param key 32 bytes */
export function customerKeyOf(key: Uint8Array): CustomerKey {
  const text = Buffer.from(key).toString('base64');
  const md5 = createHash('md5').update(key).digest('base64');
  const headersOf = (prefix: string) => ({
    [`${prefix}server-side-encryption-customer-algorithm`]: 'AES256',
    [`${prefix}server-side-encryption-customer-key`]: text,
    [`${prefix}server-side-encryption-customer-key-md5`]: md5,
  });
  return { own: headersOf('x-amz-'), source: headersOf('x-amz-copy-source-') };
}

/** The key in the form of `sse_customer_key_base64`. */
export function textOf({ own }: CustomerKey): string | undefined {
  return own['x-amz-server-side-encryption-customer-key'];
}

/** The settings of a remote that name a key. */
export interface KeySettings {
  sse_c_key_file?: string;
  sse_customer_key?: string;
  sse_customer_key_base64?: string;
}

export const KEY_SETTINGS = ['sse_c_key_file', 'sse_customer_key', 'sse_customer_key_base64'] as const;

export function namesKey(settings: KeySettings): boolean {
  return KEY_SETTINGS.some((name) => settings[name] !== undefined);
}

/** @throws config: the file cannot be read, or holds no key. No message contains any of it. */
export async function readCustomerKey(
  { sse_c_key_file: file, sse_customer_key: raw, sse_customer_key_base64: base64 }: KeySettings,
  { HOME = homedir() }: Readonly<Record<string, string | undefined>>,
): Promise<CustomerKey | undefined> {
  const text = base64 ?? raw;
  if (text !== undefined) {
    const name = base64 === undefined ? 'sse_customer_key' : 'sse_customer_key_base64';
    const key = base64 === undefined ? exact(Buffer.from(text)) : fromBase64(text);
    if (key) return customerKeyOf(key);
    throw new XsyncError('config', `${name} is no key of ${KEY_BYTES} bytes`, { subject: name });
  }
  if (file === undefined) return undefined;
  const key = keyIn(await bytesOf(file, file.startsWith('~/') ? join(HOME, file.slice(2)) : file));
  if (key) return customerKeyOf(key);
  throw new XsyncError('config', `sse_c_key_file: ${file} holds no key of ${KEY_BYTES} bytes`, {
    subject: file,
    remedy: `Write the key into it as ${KEY_BYTES} bytes, in base64 or in hexadecimal digits: openssl rand -base64 ${KEY_BYTES}.`,
  });
}

async function bytesOf(file: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new XsyncError('config', `cannot read sse_c_key_file ${file}: ${reasonOf(cause)}`, {
      subject: file,
      remedy: 'Check the path and its permissions.',
      cause,
    });
  }
}

/**
 * The key in a file: 32 bytes as they are (`fileb://` of the AWS CLI), or as text in base64, in hexadecimal digits, or of 32
 * characters (`sse_customer_key` of rclone), with or without white space around it.
 */
export function keyIn(bytes: Buffer): Buffer | undefined {
  if (bytes.byteLength === KEY_BYTES) return bytes;
  const text = bytes.toString('latin1').trim();
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  return fromBase64(text) ?? exact(Buffer.from(text, 'latin1'));
}

function fromBase64(text: string): Buffer | undefined {
  return /^[A-Za-z0-9+/]{43}=?$/.test(text.trim()) ? exact(Buffer.from(text, 'base64')) : undefined;
}

function exact(bytes: Buffer): Buffer | undefined {
  return bytes.byteLength === KEY_BYTES ? bytes : undefined;
}

/** Where requests go. */
interface Host {
  origin: string;
  host: string;
}

/** @throws config: the key would cross a network unencrypted */
export function refusePlainHttp({ control, data }: { control: Host; data: Host }): void {
  const plain = [control, data].find(({ origin }) => origin.startsWith('http://') && !isThisHost(origin));
  if (!plain) return;
  const message = `the encryption key of the remote would be sent to ${plain.origin} without encryption`;
  throw new XsyncError('config', message, { subject: plain.host, remedy: 'Use an https endpoint.' });
}

function isThisHost(origin: string): boolean {
  return /^(?:(?:.*\.)?localhost|127(?:\.\d+){3}|\[::1\])$/.test(new URL(origin).hostname);
}

/** Whether a request was refused because its object was written without a key. */
export function isUnsealed(error: unknown): boolean {
  return isXsyncError(error, 'unsupported-object') && UNSEALED.test(error.message);
}

/** The text of Amazon. */
export const UNSEALED = /encryption parameters are not applicable/i;
