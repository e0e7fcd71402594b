/**
 * By what an end knows the other one, and shows who it is itself: secrets and certificates, in files that may be replaced
 * while it runs. Tests: test/bridge/identity.test.ts
 */
import { createSecureContext } from 'node:tls';
import type { TlsFiles } from '../inbound/server.js';
import { reasonOf } from '../model/errno.js';
import { XsyncError } from '../model/error.js';
import { bridgeSecrets, textOf } from './keys.js';

export interface IdentityFiles {
  secretFile?: string;
  /** PEM; with the chain. */
  tlsCert?: string;
  /** Absent: in the file of the certificate. */
  tlsKey?: string;
  /** Authorities of the certificates that callers must have. */
  clientCa?: string;
}

interface Held {
  secrets: readonly string[];
  tls?: TlsFiles;
}

export class Identity {
  readonly #read: () => Held;
  readonly #heard: (() => void)[] = [];
  #held: Held;

  /**
   * @param certified certificates prove who asks and who answers, so that no secret is needed
   * @throws usage, config
   */
  constructor(files: IdentityFiles, env: Readonly<Record<string, string | undefined>>, { certified = false } = {}) {
    this.#read = () => ({
      secrets: bridgeSecrets(files.secretFile, env, { needed: !certified }),
      tls: tlsOf(files),
    });
    this.#held = this.#read();
  }

  /** The first one signs, all are accepted. */
  get secrets(): readonly string[] {
    return this.#held.secrets;
  }

  /** Of the server; absent: it speaks plain HTTP. */
  get tls(): TlsFiles | undefined {
    return this.#held.tls;
  }

  onReload(heard: () => void): void {
    this.#heard.push(heard);
  }

  /** Reads the files again. @throws usage, config: all stays as it was */
  reload(): void {
    this.#held = this.#read();
    for (const heard of this.#heard) heard();
  }
}

/** @throws usage, config */
function tlsOf({ tlsCert, tlsKey, clientCa }: IdentityFiles): TlsFiles | undefined {
  if (tlsCert === undefined) {
    if (tlsKey === undefined && clientCa === undefined) return undefined;
    const option = tlsKey === undefined ? '--client-ca' : '--tls-key';
    const remedy = 'Name the certificate of the server with --tls-cert.';
    throw new XsyncError('usage', `${option} has no effect without --tls-cert`, { subject: option, remedy });
  }
  const tls: TlsFiles = {
    cert: textOf(tlsCert, 'certificate'),
    key: textOf(tlsKey ?? tlsCert, 'key'),
    ...(clientCa !== undefined && { ca: textOf(clientCa, 'certificate') }),
  };
  try {
    createSecureContext(tls);
    return tls;
  } catch (cause) {
    throw new XsyncError('config', `the certificate or the key in ${tlsCert} cannot be used: ${reasonOf(cause)}`, {
      subject: tlsCert,
      remedy: 'Give a certificate and its key in PEM, without a passphrase.',
      cause,
    });
  }
}
