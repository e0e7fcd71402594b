import { ServiceError } from '../errors.js';
import type { Exchange } from '../exchange.js';
import { digest, S3_CHECKSUMS, type S3Checksum, s3Checksum } from '../hashes.js';
import type { StoredChecksum } from '../model.js';

/** Verifies Content-MD5. True when the request had one. @throws InvalidDigest, BadDigest */
export function checkContentMd5(exchange: Exchange, body: Buffer): boolean {
  const claimed = exchange.header('content-md5');
  if (claimed === undefined) return false;
  if (!/^[A-Za-z0-9+/]{22}==$/.test(claimed)) throw new ServiceError('InvalidDigest');
  const actual = digest('md5', [body]).toString('base64');
  if (actual !== claimed) {
    throw new ServiceError('BadDigest', { elements: { ExpectedDigest: claimed, CalculatedDigest: actual } });
  }
  return true;
}

/** The algorithm that the request names, by `x-amz-sdk-checksum-algorithm` or `x-amz-checksum-algorithm`. */
export function namedAlgorithm(exchange: Exchange): S3Checksum | undefined {
  const name = (exchange.vendor('sdk-checksum-algorithm') ?? exchange.vendor('checksum-algorithm'))?.toLowerCase();
  if (name === undefined) return undefined;
  const known = S3_CHECKSUMS.find((checksum) => checksum === name);
  if (!known) {
    throw new ServiceError('InvalidRequest', { message: 'Checksum algorithm provided is unsupported.' });
  }
  return known;
}

/** The unverified checksum in a header or a trailer of a request. */
export function claimedChecksum(exchange: Exchange, trailers: Record<string, string>): StoredChecksum | undefined {
  const claims = S3_CHECKSUMS.flatMap((name) => {
    const header = `x-amz-checksum-${name}`;
    const value = trailers[header] ?? exchange.header(header);
    return value === undefined ? [] : [{ name, value, type: 'FULL_OBJECT' as const }];
  });
  if (claims.length > 1) {
    throw new ServiceError('InvalidRequest', {
      message: 'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    });
  }
  return claims[0];
}

/** Verifies the claimed checksum against the body. @throws InvalidRequest (malformed), BadDigest */
export function checkedChecksum(
  exchange: Exchange,
  trailers: Record<string, string>,
  body: Buffer,
): StoredChecksum | undefined {
  const claimed = claimedChecksum(exchange, trailers);
  const named = namedAlgorithm(exchange);
  if (!claimed) {
    if (!named) return undefined;
    throw new ServiceError('InvalidRequest', {
      message:
        'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    });
  }
  if (named && named !== claimed.name) {
    throw new ServiceError('InvalidRequest', { message: 'Value for x-amz-sdk-checksum-algorithm header is invalid.' });
  }
  const actual = s3Checksum(claimed.name, [body]);
  if (actual.length !== claimed.value.length) {
    throw new ServiceError('InvalidRequest', {
      message: `Value for x-amz-checksum-${claimed.name} header is invalid.`,
    });
  }
  if (actual !== claimed.value) {
    throw new ServiceError('BadDigest', {
      message: `The ${claimed.name.toUpperCase()} you specified did not match the calculated checksum.`,
    });
  }
  return claimed;
}

/** The headers for a stored checksum. */
export function checksumHeaders(checksum: StoredChecksum | undefined): Record<string, string> {
  if (!checksum) return {};
  return { [`x-amz-checksum-${checksum.name}`]: checksum.value, 'x-amz-checksum-type': checksum.type };
}
