/** The config's schema. Each backend defines the schema of its remotes. */
import * as z from 'zod';
import { XsyncError } from '../model/error.js';
import type { Backend, RemoteConfig } from '../store/backend.js';
import { BACKENDS } from '../store/registry.js';
import { classRoutes } from './storage-classes.js';

export const REMOTE_TYPES = BACKENDS.map(({ type }) => type);

/** Remote names: the part of a location before the colon. */
export const REMOTE_NAME = /^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/;

export const NAME_RULE = 'letters, digits, "_", "." and "-", not starting with "-"';

const [first, ...others] = BACKENDS.map(({ schema }) => schema);
if (first === undefined) throw new XsyncError('internal', 'there are no backends');

/** The whole file, for the editors' schema. `validate.ts` validates remote by remote. */
export const configSchema = z.strictObject({
  remotes: z
    .record(z.string().regex(REMOTE_NAME), z.discriminatedUnion('type', [first, ...others]))
    .describe('The remotes for locations such as "lab:bucket/prefix"'),
  storage_classes: classRoutes.optional(),
});

/** The backend of that type, if there is one. */
export function findBackend(type: unknown): Backend | undefined {
  return BACKENDS.find((backend) => backend.type === type);
}

/** The backend of a remote that has been validated. */
export function backendOf({ type }: RemoteConfig): Backend {
  const backend = findBackend(type);
  if (backend === undefined) throw new XsyncError('internal', `there is no backend of type ${type}`);
  return backend;
}

/** The allowed keys of this backend's remotes. */
export function keysOf({ schema }: Backend): string[] {
  return Object.keys(schema.shape);
}

/** Keys whose values are never printed. A file that contains one must be private. */
export function isSecretKey(key: string): boolean {
  // The name of a file is no secret.
  return /secret|token|password|passphrase|customer_key(?:_base64)?$/.test(key) && !key.endsWith('_file');
}
