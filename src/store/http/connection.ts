/** Reads the files and variables that say how servers are reached. Tests: test/store/http/proxy.test.ts */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';
import { reasonOf } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import { type ProxyServer, proxiesOf } from './proxy.js';
import type { ConnectionFlags, ConnectionSettings } from './settings.js';

export interface Connection {
  tls: TlsOptions;
  /** The proxy for an origin (`https://host[:port]`); undefined: none. */
  proxyOf(origin: string): ProxyServer | undefined;
}

export type TlsOptions = Pick<ConnectionOptions, 'rejectUnauthorized'> & { secureContext?: SecureContext };

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws config: for a file that cannot be read or used, and for a proxy variable that is no address */
export async function openConnection(
  settings: ConnectionSettings,
  flags: ConnectionFlags,
  env: Environment,
): Promise<Connection> {
  const read = (file: string, what: string) => readPem(file, what, env);
  const bundles = [settings.ca_cert, settings.ca_bundle, ...(flags.caCert ?? [])].filter((file) => file !== undefined);
  const ca = await Promise.all(bundles.map((file) => read(file, 'CERTIFICATE')));
  const [certFile, keyFile] =
    settings.client_cert === undefined
      ? [flags.clientCert, flags.clientKey ?? flags.clientCert]
      : [settings.client_cert, settings.client_key ?? settings.client_cert];
  const cert = certFile === undefined ? undefined : await read(certFile, 'CERTIFICATE');
  const key = certFile === undefined || keyFile === undefined ? undefined : await read(keyFile, 'PRIVATE KEY');
  const unchecked = settings.no_check_certificate ?? flags.checkCertificate === false;
  const tls: TlsOptions = { ...(unchecked && { rejectUnauthorized: false }) };
  if (ca.length > 0 || cert !== undefined) tls.secureContext = contextOf({ cert, key }, ca, certFile);
  return { tls, proxyOf: proxiesOf(settings.proxy, env) };
}

/**
 * Node's own list of certificates, and these. Its option `ca` takes the place of the list, which it would have to be given
 * as text: parsing that again takes 20 ms for each remote.
 */
function contextOf(own: { cert?: string; key?: string }, trusted: readonly string[], certFile = ''): SecureContext {
  try {
    const made = createSecureContext(own);
    for (const pem of trusted) made.context.addCACert(pem);
    return made;
  } catch (cause) {
    throw new XsyncError('config', `the client certificate ${certFile} cannot be used: ${reasonOf(cause)}`, {
      subject: certFile,
      remedy: 'Check that the key belongs to the certificate and has no passphrase.',
      cause,
    });
  }
}

async function readPem(file: string, what: string, { HOME = homedir() }: Environment): Promise<string> {
  const place = file.startsWith('~/') ? join(HOME, file.slice(2)) : file;
  let text: string;
  try {
    text = await readFile(place, 'utf8');
  } catch (cause) {
    throw new XsyncError('config', `cannot read the certificate file ${file}: ${reasonOf(cause)}`, {
      subject: file,
      remedy: 'Check the path and its permissions.',
      cause,
    });
  }
  if (new RegExp(`-----BEGIN [A-Z ]*${what}-----`).test(text)) return text;
  throw new XsyncError('config', `${file} contains no PEM block "${what}"`, {
    subject: file,
    remedy: 'Convert it to PEM, for example: openssl x509 -inform der -in FILE.',
  });
}
