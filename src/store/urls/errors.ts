/** What the refusals of a server mean for a listed URL. Tests: test/store/urls/store.test.ts */
import { type ErrorCode, XsyncError } from '../../model/error.js';
import type { HttpResponse } from '../http/message.js';
import { retryAfterMs } from '../http/retry-after.js';

/** In what S3, OSS, Google and Azure say of a URL that is too old. */
const EXPIRED = /expired|not valid in the specified time frame/i;

const OF_STATUS: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  404: ['object-not-found', 'the server has no such object'],
  408: ['timeout', 'the server waited for too long'],
  410: ['object-not-found', 'the object is gone'],
  412: ['precondition-failed', 'the object has changed'],
  416: ['precondition-failed', 'the object has become shorter'],
  429: ['throttled', 'the server asks to slow down'],
  503: ['throttled', 'the server asks to slow down'],
};

/**
 * The error of a response without success. Never contains the URL, nor what the server says, which may repeat it.
 * @param expired the URL says of itself that its time is over
 * @param renewable whoever made the URL can be asked for another one
 */
export function refusalOf(
  key: string,
  { status, headers, body }: HttpResponse,
  { expired, renewable }: { expired: boolean; renewable: boolean },
): XsyncError {
  const details = { subject: key, status };
  const serviceCode = codeIn(body);
  if ([400, 401, 403].includes(status) && (expired || EXPIRED.test(body.toString('latin1', 0, 4096)))) {
    return expiredUrl(key, status);
  }
  if (serviceCode === 'InvalidObjectState') {
    return new XsyncError('object-archived', `${key}: the object is archived`, { ...details, serviceCode });
  }
  if ([401, 403].includes(status) || isOfToken(serviceCode)) {
    const code = renewable ? 'refused-url' : 'access-denied';
    return new XsyncError(code, `${key}: the server refuses the URL (${serviceCode ?? status})`, {
      ...details,
      serviceCode,
      remedy: 'Check that the URL was copied completely, and that it allows GET.',
      class: 'permanent',
    });
  }
  const [code, text] = OF_STATUS[status] ?? [];
  if (code !== undefined) {
    return new XsyncError(code, `${key}: ${text} (${status})`, { ...details, retryAfterMs: retryAfterMs(headers) });
  }
  const name = status >= 500 ? 'server-error' : 'invalid-response';
  return new XsyncError(name, `${key}: the server answered ${serviceCode ?? status}`, { ...details, serviceCode });
}

export function expiredUrl(key: string, status?: number): XsyncError {
  return new XsyncError('expired-url', `${key}: the URL has expired`, {
    subject: key,
    status,
    remedy: 'Run the same command with a list of fresh URLs: it continues from the parts that have arrived.',
  });
}

/** Of the session whose credentials signed the URL: S3 answers 400. */
function isOfToken(serviceCode: string | undefined): boolean {
  return serviceCode === 'InvalidToken' || serviceCode === 'TokenRefreshRequired';
}

/** `<Code>AccessDenied</Code>`, as S3, OSS, Google and Azure write it. */
function codeIn(body: Buffer): string | undefined {
  return /<Code>([A-Za-z0-9.]{1,64})<\/Code>/.exec(body.toString('latin1', 0, 4096))?.[1];
}
