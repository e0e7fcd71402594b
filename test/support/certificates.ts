/** Certificates for tests, made by OpenSSL. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'ignore' });
}

/** A certificate authority in a folder. */
export class Authority {
  readonly cert: string;
  readonly #key: string;
  readonly #directory: string;

  constructor(directory: string, name: string) {
    this.#directory = directory;
    this.cert = join(directory, `${name}.pem`);
    this.#key = join(directory, `${name}.key`);
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    openssl('req', '-x509', ...curve, '-subj', `/CN=${name}`, '-days', '2', '-keyout', this.#key, '-out', this.cert);
  }

  /** For 127.0.0.1, as a server and as a client. @returns the files */
  issue(name: string): { cert: string; key: string } {
    const [cert, key, request, more] = ['pem', 'key', 'csr', 'ext'].map((end) =>
      join(this.#directory, `${name}.${end}`),
    ) as [...[string, string, string, string]];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    openssl('req', ...curve, '-subj', `/CN=${name}`, '-keyout', key, '-out', request);
    writeFileSync(more, 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n');
    const by = ['-CA', this.cert, '-CAkey', this.#key, '-CAcreateserial', '-days', '2', '-extfile', more];
    openssl('x509', '-req', '-in', request, ...by, '-out', cert);
    return { cert, key };
  }
}
