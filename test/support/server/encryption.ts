import { ServiceError } from './errors.js';
import type { Exchange } from './exchange.js';
import { digest } from './hashes.js';
import type { Encryption, Protocol } from './model.js';

/**
 * Server-side encryption. S3: "Protecting data with server-side encryption" in the user guide. OSS: `x-oss-server-side-…`
 * headers of PutObject, CopyObject and InitiateMultipartUpload.
 */

const METHODS: Record<Protocol, readonly string[]> = {
  s3: ['AES256', 'aws:kms', 'aws:kms:dsse'],
  oss: ['AES256', 'KMS', 'SM4'],
};

const KEY_ID: Record<Protocol, string> = {
  s3: 'server-side-encryption-aws-kms-key-id',
  oss: 'server-side-encryption-key-id',
};

/** ETags of what is encrypted so are no MD5s, although they may look like some. */
export function isOpaque({ method, customerMd5 }: Encryption): boolean {
  return customerMd5 !== undefined || (method !== undefined && method !== 'AES256');
}

/**
 * What the headers of a write ask for. The kinds exclude each other.
 * @throws InvalidArgument, InvalidEncryptionAlgorithmError
 */
export function readEncryption(exchange: Exchange): Encryption {
  const { protocol } = exchange;
  const method = exchange.vendor('server-side-encryption');
  const keyId = exchange.vendor(KEY_ID[protocol]);
  const data = exchange.vendor('server-side-data-encryption');
  const kms = method?.toLowerCase().includes('kms') === true;
  if (method !== undefined && !METHODS[protocol].includes(method)) {
    throw new ServiceError(protocol === 's3' ? 'InvalidEncryptionAlgorithmError' : 'InvalidArgument');
  }
  const customer = protocol === 's3' && exchange.vendor(`${CUSTOMER}-algorithm`) !== undefined;
  const contradicts = (customer && method !== undefined) || (keyId !== undefined && !kms);
  if (contradicts || (data !== undefined && (!kms || data !== 'SM4'))) {
    throw new ServiceError('InvalidArgument', { message: 'The encryption headers provided contradict each other.' });
  }
  const customerMd5 = customer ? customerKey(exchange) : undefined;
  return {
    ...(method === undefined ? {} : { method }),
    ...(keyId === undefined ? {} : { keyId }),
    ...(data === undefined ? {} : { data }),
    ...(customerMd5 === undefined ? {} : { customerMd5 }),
  };
}

const CUSTOMER = 'server-side-encryption-customer';

/** The MD5 of the key in the headers, base64. @throws InvalidArgument */
function customerKey(exchange: Exchange, prefix = ''): string | undefined {
  const algorithm = exchange.vendor(`${prefix}${CUSTOMER}-algorithm`);
  const key = exchange.vendor(`${prefix}${CUSTOMER}-key`);
  const md5 = exchange.vendor(`${prefix}${CUSTOMER}-key-md5`);
  if (algorithm === undefined && key === undefined && md5 === undefined) return undefined;
  const bytes = Buffer.from(key ?? '', 'base64');
  if (algorithm !== 'AES256') throw new ServiceError('InvalidEncryptionAlgorithmError');
  if (bytes.byteLength !== 32) throw new ServiceError('InvalidArgument', { message: 'The secret key was invalid.' });
  if (md5 !== digest('md5', [bytes]).toString('base64')) {
    throw new ServiceError('InvalidArgument', {
      message: 'The calculated MD5 hash of the key did not match the hash that was provided.',
    });
  }
  return md5;
}

/**
 * A request for the data or the attributes of an object, or for a part of an upload, must have its key, and no other.
 * @param prefix `copy-source-` for the source of a copy
 * @throws InvalidRequest, AccessDenied
 */
export function checkCustomerKey(exchange: Exchange, { customerMd5 }: Encryption, prefix = ''): void {
  if (exchange.protocol !== 's3') return;
  const given = customerKey(exchange, prefix);
  if (given === customerMd5) return;
  if (given !== undefined && customerMd5 !== undefined) throw new ServiceError('AccessDenied');
  throw new ServiceError('InvalidRequest', {
    message:
      given === undefined
        ? 'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.'
        : 'The encryption parameters are not applicable to this object.',
  });
}

/** As the responses to writes and reads show it. */
export function encryptionHeaders({ method, keyId, data, customerMd5 }: Encryption, protocol: Protocol) {
  const prefix = protocol === 's3' ? 'x-amz-' : 'x-oss-';
  const headers: Record<string, string> = {};
  if (method !== undefined) headers[`${prefix}server-side-encryption`] = method;
  if (keyId !== undefined) headers[`${prefix}${KEY_ID[protocol]}`] = keyId;
  if (data !== undefined) headers[`${prefix}server-side-data-encryption`] = data;
  if (customerMd5 === undefined) return headers;
  return { ...headers, [`x-amz-${CUSTOMER}-algorithm`]: 'AES256', [`x-amz-${CUSTOMER}-key-md5`]: customerMd5 };
}
