/**
 * How a remote's servers are reached: proxy, trusted certificates, client certificate. The same for every network store.
 * Tests: test/store/http/proxy.test.ts
 */
import * as z from 'zod';
import { parseProxy } from './proxy.js';

const path = z.string().trim().min(1);

/** Settings of a remote. Except for `proxy` they have the names of rclone's options. */
export const connectionShape = {
  proxy: z
    .string()
    .trim()
    .refine((text) => text === 'none' || parseProxy(text) !== undefined, {
      error: 'must be an address such as http://proxy.example:3128 or socks5://proxy.example:1080, or none',
    })
    .optional()
    .describe('Address of a proxy (http, https, socks5), or none; default: HTTPS_PROXY, HTTP_PROXY, NO_PROXY'),
  ca_cert: path.optional().describe('File with CA certificates (PEM) to trust in addition to the default ones'),
  client_cert: path.optional().describe('File with the certificate (PEM) to show to the server'),
  client_key: path.optional().describe('File with its private key; default: in client_cert'),
  no_check_certificate: z.union([z.boolean(), z.stringbool()]).optional().describe('Accept any certificate; unsafe'),
};

export interface ConnectionSettings {
  proxy?: string;
  ca_cert?: string;
  client_cert?: string;
  client_key?: string;
  no_check_certificate?: boolean;
  /** From a service's own environment: trusted like `ca_cert`. */
  ca_bundle?: string;
}

/** From the command line: trusted in addition; the rest where the remote says nothing. */
export interface ConnectionFlags {
  caCert?: readonly string[];
  clientCert?: string;
  clientKey?: string;
  /** False: accept any certificate. */
  checkCertificate?: boolean;
}
