/** Translates errors of sockets, OpenSSL and HTTP into XsyncErrors. Tests: test/store/http/transport.test.ts */
import { type ErrorCode, XsyncError } from '../../model/error.js';
import { Hangup, RequestFault, ResponseFault, Silence } from './faults.js';

/** State of the exchange when it failed. */
export interface FaultContext {
  /** `host[:port]`, for messages. */
  host: string;
  /** The response status had arrived, so a connection that ends now has truncated the body. */
  answering: boolean;
  idleTimeoutMs: number;
  connectTimeoutMs: number;
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
]);

const CERTIFICATE =
  /^(CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|ERR_TLS_CERT)/;

/** The `code` that Node's errors carry. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

/** Translates an error of the exchange with `context.host`; an XsyncError is returned unchanged. */
export function translateFault(error: unknown, context: FaultContext): XsyncError {
  if (error instanceof XsyncError) return error;
  const { host } = context;
  const code = codeOf(error);
  const fault = (name: ErrorCode, message: string, remedy?: string) =>
    new XsyncError(name, message, { subject: host, remedy, cause: error });
  const known = tlsFault(code, error, fault, host) ?? headerFault(code, error, fault);
  if (known) return known;
  if (UNREACHABLE.has(code)) {
    return fault('unreachable', `cannot reach ${host} (${code})`, 'Check the endpoint, DNS and the network.');
  }
  if (code === 'ETIMEDOUT' && !context.answering) {
    return fault('unreachable', `no connection to ${host} within ${context.connectTimeoutMs / 1000} s`);
  }
  if (error instanceof Silence || code === 'ETIMEDOUT') {
    return fault('timeout', `${host} sent and received no bytes for ${context.idleTimeoutMs / 1000} s`);
  }
  if (context.answering && error instanceof Hangup) return fault('truncated', `the response of ${host} was truncated`);
  if (error instanceof ResponseFault) {
    return fault('invalid-response', `the response of ${host} is not HTTP/1.1: it ${error.message}`);
  }
  if (error instanceof RequestFault) {
    return fault('internal', `the request to ${host} is malformed: ${error.message}`);
  }
  return fault('network', `the connection to ${host} broke (${code === '' ? messageOf(error) : code})`);
}

type Fault = (name: ErrorCode, message: string, remedy?: string) => XsyncError;

function tlsFault(code: string, error: unknown, fault: Fault, host: string): XsyncError | undefined {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'HOSTNAME_MISMATCH') {
    const remedy =
      'Check the endpoint. If the bucket name contains dots, use path style: a wildcard certificate does not cover it.';
    return fault('tls', `the certificate of ${host} is for a different name`, remedy);
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return fault('tls', `the certificate of ${host} is not currently valid (${code})`, "Check this host's clock.");
  }
  if (CERTIFICATE.test(code)) {
    const remedy = 'If you use a private CA, name its certificate file: --ca-cert, or ca_cert of the remote.';
    return fault('tls', `the certificate of ${host} is not trusted (${code})`, remedy);
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')) {
    const remedy = 'Check the port, and whether the endpoint is http or https.';
    return fault('tls', `the TLS connection to ${host} failed (${reasonOf(error)})`, remedy);
  }
  return undefined;
}

/** Headers whose values come from the credentials. */
const OF_CREDENTIALS = /^(authorization|x-(amz|oss)-security-token)$/i;

/**
 * A value that HTTP cannot carry: a control character, or one beyond latin1. It comes from the object (its ETag, its
 * metadata), so that only the object fails; or from the credentials.
 */
function headerFault(code: string, error: unknown, fault: Fault): XsyncError | undefined {
  const name = malformedHeader(code, error)?.toLowerCase();
  if (name === undefined) return undefined;
  if (OF_CREDENTIALS.test(name)) {
    const remedy = 'Check the keys of this remote: one contains a line break or another control character.';
    return fault('bad-credentials', 'the credentials contain a character that HTTP cannot carry', remedy);
  }
  const what = /if-match$/.test(name) ? 'an ETag' : `a value for the header ${name}`;
  return fault('unsupported', `the object has ${what} that HTTP cannot carry`);
}

function malformedHeader(code: string, error: unknown): string | undefined {
  if (error instanceof RequestFault) return error.header;
  // Node's message, of its own client under an SDK.
  return code === 'ERR_INVALID_CHAR' ? /in header content \["([^"]+)"\]/.exec(messageOf(error))?.[1] : undefined;
}

/** OpenSSL's reason (`wrong version number`) without its source locations. */
function reasonOf(error: unknown): string {
  const reason = error instanceof Error && 'reason' in error ? error.reason : undefined;
  return typeof reason === 'string' ? reason : (messageOf(error).split('\n', 1)[0] ?? '');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
