/** Which keys somebody else may name. Tests: test/e2e/bridge-edges.test.ts */
import { XsyncError } from '../model/error.js';
import type { OpenSide } from './settings.js';

/** Servers and proxies may resolve `..`, and lead out of the prefix. @throws key-not-representable */
export function checkKeyBelow(key: string, { store, prefix }: Pick<OpenSide, 'store' | 'prefix'>): void {
  store.checkKey(prefix + key);
  if (prefix === '' || !key.split('/').includes('..')) return;
  throw new XsyncError('key-not-representable', `${key}: ".." leads out of the destination`, { subject: key });
}
