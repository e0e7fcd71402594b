/** Judges the path to an endpoint: facts in, findings out. Pure. */
import { type Finding, fail, ok, skip, warn } from './finding.js';
import { milliseconds, roughly } from './text.js';

/** Why a step failed: the system's error code, if any, and message. */
export interface Fault {
  code: string;
  message: string;
}

export interface EndpointFacts {
  /** `https://host[:port]`. */
  origin: string;
  /** Absent when the origin's host is an address. */
  name?: { ms: number; addresses: readonly string[] } | { fault: Fault };
  connect?: { ms: number; address: string } | { fault: Fault };
  /** Absent for plain HTTP. `untrusted`: why the certificate is not trusted. */
  tls?: { ms: number; version: string; validUntilMs: number; issuer: string; untrusted?: string } | { fault: Fault };
  /** The response to a request without credentials. Times in ms since 1970; no `dateMs` without a Date header. */
  answer?: { status: number; localMs: number; dateMs?: number } | { fault: Fault };
}

/** Whether requests are possible. If not, later checks are skipped. */
export function isReachable({ answer, tls }: EndpointFacts): boolean {
  const trusted = tls === undefined || ('version' in tls && tls.untrusted === undefined);
  return trusted && answer !== undefined && 'status' in answer;
}

export function judgeEndpoint(facts: EndpointFacts): Finding[] {
  return [judgeName(facts), judgeConnect(facts), judgeTls(facts), judgeAnswer(facts)].filter(
    (finding) => finding !== undefined,
  );
}

const SLOW_NAME_MS = 500;
const MOST_ADDRESSES = 4;

function judgeName({ name, origin }: EndpointFacts): Finding | undefined {
  if (name === undefined) return undefined;
  const { hostname } = new URL(origin);
  if ('fault' in name) {
    const unknown = name.fault.code === 'ENOTFOUND';
    return fail(
      'dns',
      unknown ? `the name ${hostname} does not exist` : `${hostname}: ${name.fault.message}`,
      unknown
        ? 'Check the endpoint and the region of this remote.'
        : 'Check the name servers of this host (/etc/resolv.conf).',
      { values: { code: name.fault.code } },
    );
  }
  const { ms, addresses } = name;
  const more = addresses.length > MOST_ADDRESSES ? ` and ${addresses.length - MOST_ADDRESSES} more` : '';
  const found = `${milliseconds(ms)}: ${addresses.slice(0, MOST_ADDRESSES).join(', ')}${more}`;
  if (ms < SLOW_NAME_MS) return ok('dns', found, { ms, addresses });
  return warn('dns', found, 'Every new connection waits for this: use a closer name server or a cache.', {
    values: { ms, addresses },
  });
}

const CONNECT_REMEDY: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'No server listens there: check host and port of the endpoint.',
  ETIMEDOUT: 'Allow connections to this host and port in the firewall.',
  ENETUNREACH: 'This host has no route there: check its network.',
  EHOSTUNREACH: 'This host has no route there: check its network.',
  unreachable: 'Check the proxy: its variables, NO_PROXY, and proxy of this remote.',
};

function judgeConnect({ connect, origin }: EndpointFacts): Finding | undefined {
  if (connect === undefined) return undefined;
  if ('fault' in connect) {
    const { code } = connect.fault;
    const { host } = new URL(origin);
    const message = code === 'ECONNREFUSED' ? `${host} refuses connections` : connect.fault.message;
    const remedy = CONNECT_REMEDY[code] ?? 'Check the endpoint and the network of this host.';
    return fail('connect', message, remedy, { values: { code } });
  }
  const { ms, address } = connect;
  return ok('connect', `${milliseconds(ms)} to ${address}`, { ms, address });
}

const DAY_MS = 24 * 3600 * 1000;
const EXPIRES_SOON_MS = 14 * DAY_MS;

function judgeTls({ origin, tls, connect, answer }: EndpointFacts): Finding | undefined {
  if (!origin.startsWith('https:')) return judgePlain(connect);
  if (tls === undefined) return undefined;
  if ('fault' in tls) {
    const remedy = 'Check that the endpoint uses TLS on this port; use http:// if it does not.';
    return fail('tls', tls.fault.message, remedy, { values: { code: tls.fault.code } });
  }
  const { ms, version, validUntilMs, issuer, untrusted } = tls;
  const values = { ms, version, validUntilMs, issuer, ...(untrusted !== undefined && { untrusted }) };
  const until = `certificate by ${issuer || 'an unnamed issuer'} until ${new Date(validUntilMs).toISOString().slice(0, 10)}`;
  if (untrusted !== undefined) {
    return fail('tls', `not trusted (${untrusted}); ${until}`, untrustedRemedy(untrusted), { values });
  }
  const found = `${version}, ${milliseconds(ms)}; ${until}`;
  const now = answer !== undefined && 'status' in answer ? answer.localMs : Date.now();
  if (validUntilMs - now < EXPIRES_SOON_MS) {
    const remedy = `Renew the certificate: it expires in ${roughly(validUntilMs - now)}.`;
    return warn('tls', found, remedy, { values });
  }
  if (version === 'TLSv1.2' || version === 'TLSv1.3') return ok('tls', found, values);
  return warn('tls', found, 'Enable TLS 1.2 or 1.3 on the server.', { values });
}

function untrustedRemedy(why: string): string {
  if (why === 'CERT_HAS_EXPIRED') return "Renew the certificate, or set this host's clock.";
  if (why === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'Set the endpoint to the host name of the certificate.';
  return 'If the server is yours, name its CA: --ca-cert FILE, or ca_cert of this remote.';
}

function judgePlain(connect: EndpointFacts['connect']): Finding | undefined {
  if (connect === undefined || 'fault' in connect) return undefined;
  if (/^(127\.|::1$|::ffff:127\.)/.test(connect.address))
    return ok('tls', 'none, and none needed: the server is this host');
  return warn('tls', 'none: keys and contents of objects are sent unencrypted', 'Use an https:// endpoint.');
}

/** Date headers have a resolution of one second; smaller differences are ignored. */
const EXACT_MS = 2_000;
/** Above this, time stamps of objects are misleading. Above 15 minutes, stores refuse requests. */
const SKEWED_MS = 30_000;

function judgeAnswer({ answer }: EndpointFacts): Finding | undefined {
  if (answer === undefined) return undefined;
  if ('fault' in answer) {
    const { code, message } = answer.fault;
    return fail('clock', `no HTTP response: ${message}`, 'Check that this is the endpoint of an object store.', {
      values: { code },
    });
  }
  if (answer.dateMs === undefined) return skip('clock', 'the server sends no Date header');
  const skewMs = answer.dateMs - answer.localMs;
  if (Math.abs(skewMs) < EXACT_MS) return ok('clock', 'agrees with the server', { skewMs });
  const found = `this host is ${roughly(skewMs)} ${skewMs > 0 ? 'behind' : 'ahead of'} the server`;
  if (Math.abs(skewMs) < SKEWED_MS) return ok('clock', found, { skewMs });
  const remedy = "Set this host's clock (xsync corrects its signatures automatically, other programs do not):";
  return warn('clock', found, remedy, { commands: ['timedatectl set-ntp true'], values: { skewMs } });
}
