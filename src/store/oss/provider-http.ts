/**
 * The requests of @alicloud/credentials over the lean transport, and what their refusals mean.
 * Tests: test/store/oss/providers.test.ts
 */
import * as z from 'zod';
import { isXsyncError, XsyncError } from '../../model/error.js';
import type { HttpResponse } from '../http/message.js';
import type { HttpTransport } from '../http/transport.js';

export interface Means {
  /** A transport that lives as long as the store. */
  http(): Promise<Pick<HttpTransport, 'request'>>;
  /** A transport that uses no proxy, for one request to this host: a proxy must not see the credentials of its role. */
  direct(): Promise<Pick<HttpTransport, 'request' | 'close'>>;
}

/** A request as the library builds it. */
interface LibraryRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyForm?: Readonly<Record<string, string>>;
  toRequestURL(): string;
}

interface LibraryResponse {
  statusCode: number;
  headers: Record<string, string>;
  body: Buffer;
}

type Ask = (request: LibraryRequest) => Promise<LibraryResponse>;

/** The metadata service is on the same host; where there is none, a run must not wait for it. */
const METADATA = '100.100.100.200';
const METADATA_MS = 1_000;
const ANSWER_MS = 20_000;

/** @param what the source, for messages */
export function askThrough(means: Means, what: string): Ask {
  return async (request) => {
    const url = new URL(request.toRequestURL());
    const form = new URLSearchParams(request.bodyForm).toString();
    const here = url.hostname === METADATA || /^(127\.|localhost$|\[::1\]$)/.test(url.hostname);
    const direct = here ? await means.direct() : undefined;
    const transport = direct ?? (await means.http());
    const limitMs = url.hostname === METADATA ? METADATA_MS : ANSWER_MS;
    const signal = AbortSignal.timeout(limitMs);
    const sent = transport.request({
      method: request.method,
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      headers: plain(request.headers),
      ...(form !== '' && { body: form }),
      signal,
    });
    const answer = await sent.catch(async (error: unknown) => {
      await direct?.close();
      if (!signal.aborted) throw isXsyncError(error) ? unanswered(error, what) : error;
      throw new XsyncError('timeout', `${what}: ${url.host} did not answer within ${limitMs / 1000} s`, {
        subject: url.host,
      });
    });
    await direct?.close();
    if (answer.status !== 200) throw refusal(answer, what);
    return { statusCode: answer.status, headers: answer.headers, body: answer.body };
  };
}

function unanswered({ code, message, subject, cause }: XsyncError, what: string): XsyncError {
  const remedy = 'Check the network, and the source of the credentials.';
  return new XsyncError(code, `${what}: ${message}`, { subject, cause, remedy });
}

/** Headers in lower case. The library sets some without a value. */
function plain(headers: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const set = Object.entries(headers).flatMap(([name, value]) => (value ? [[name.toLowerCase(), value] as const] : []));
  return Object.fromEntries(set);
}

const errorSchema = z.object({ Code: z.string().max(100), Message: z.string().optional() });

/** Of the answer, only its code and the start of its message: STS repeats the string to sign, with the token in it. */
function refusal({ status, body }: HttpResponse, what: string): XsyncError {
  const parsed = errorSchema.safeParse(jsonOf(body.toString('utf8')));
  const { Code: serviceCode, Message: message = '' } = parsed.success ? parsed.data : {};
  const safe = message.split(/\s*server string to sign/i, 1)[0]?.slice(0, 300) ?? '';
  const why = serviceCode === undefined ? `status ${status}` : `${serviceCode}${safe === '' ? '' : `: ${safe}`}`;
  const details = { status, serviceCode };
  if (status === 429 || /^Throttling/.test(serviceCode ?? '')) {
    return new XsyncError('throttled', `${what}: ${why}`, details);
  }
  if (status >= 500) return new XsyncError('server-error', `${what}: ${why}`, details);
  const remedy = REMEDIES[serviceCode ?? String(status)] ?? 'Check the source of the credentials.';
  return new XsyncError('bad-credentials', `${what}: ${why}`, { ...details, remedy });
}

const REMEDIES: Readonly<Record<string, string>> = {
  NoPermission: 'Grant sts:AssumeRole to the caller, and name it in the trust policy of the role.',
  'EntityNotExist.Role': 'Check the ARN of the role.',
  'InvalidAccessKeyId.NotFound': 'Check the AccessKey that assumes the role.',
  SignatureDoesNotMatch: 'Check the AccessKey secret that assumes the role.',
  'AuthenticationFail.OIDCToken.Expired': 'Renew the OIDC token file.',
  404: 'Attach the RAM role to this instance, or correct its name.',
};

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // An error page has no code. The schema refuses `undefined`.
    return undefined;
  }
}
