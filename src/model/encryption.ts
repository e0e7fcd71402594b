/** `--sse`: how the service of a destination encrypts what is written there. Tests: test/model/encryption.test.ts */
import { XsyncError } from './error.js';

const METHODS = ['none', 'aes256', 'kms', 'sm4'] as const;

/** `none` asks for nothing, so that the bucket's own setting applies. `keyId` names a key of the destination's KMS. */
export interface Encryption {
  method: (typeof METHODS)[number];
  keyId?: string;
}

/** `none`, `aes256`, `kms`, `kms:KEY`, `sm4`; also as the AWS CLI spells them. @throws usage */
export function parseEncryption(text: string): Encryption {
  const [, name, keyId] = /^(?:aws:)?([a-z\d]+)(?::([!-~]+))?$/i.exec(text) ?? [];
  const method = METHODS.find((one) => one === name?.toLowerCase());
  if (method === 'kms' && keyId !== undefined) return { method, keyId };
  if (method !== undefined && keyId === undefined) return { method };
  throw new XsyncError('usage', `--sse: "${text}" is not a method of encryption`, {
    subject: '--sse',
    remedy: 'Use none, aes256, kms, kms:KEY or sm4.',
  });
}

/** @param store such as `local disk` */
export function lacksEncryption(store: string, { method }: Encryption, remedy: string): XsyncError {
  return new XsyncError('usage', `--sse ${method}: ${store} has no such encryption`, { subject: '--sse', remedy });
}
