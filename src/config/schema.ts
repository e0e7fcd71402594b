/** What a config may hold. Each store brings the schema of its own remotes. */
import { z } from 'zod';
import { ossConfigSchema } from '../store/oss/config.js';
import { s3ConfigSchema } from '../store/s3/config.js';

const localConfigSchema = z.strictObject({
  type: z.literal('local'),
  copy_links: z.boolean().default(false).describe('Follow symbolic links and copy what they point to'),
});

const memoryConfigSchema = z.strictObject({ type: z.literal('memory') });

export const REMOTE_SCHEMAS = {
  s3: s3ConfigSchema,
  oss: ossConfigSchema,
  local: localConfigSchema,
  memory: memoryConfigSchema,
} as const;

export type RemoteType = keyof typeof REMOTE_SCHEMAS;

/** A remote after validation, defaults filled in. */
export type RemoteConfig = z.output<(typeof REMOTE_SCHEMAS)[RemoteType]>;

export const REMOTE_TYPES = Object.keys(REMOTE_SCHEMAS) as readonly RemoteType[];

/** Remote names, as they stand before the colon of a location. */
export const REMOTE_NAME = /^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/;

export const NAME_RULE = 'letters, digits, "_", "." and "-", not starting with "-"';

/** The whole file; validation goes remote by remote (`validate.ts`), this is for the editors' schema. */
export const configSchema = z.strictObject({
  remotes: z
    .record(
      z.string().regex(REMOTE_NAME),
      z.discriminatedUnion('type', [s3ConfigSchema, ossConfigSchema, localConfigSchema, memoryConfigSchema]),
    )
    .describe('The places that locations such as "lab:bucket/prefix" name'),
});

export function isRemoteType(type: unknown): type is RemoteType {
  return typeof type === 'string' && Object.hasOwn(REMOTE_SCHEMAS, type);
}

/** The keys that a remote of this type may have. */
export function keysOf(type: RemoteType): string[] {
  return Object.keys(REMOTE_SCHEMAS[type].shape);
}

/** Keys whose values are never shown and make a file private. */
export function isSecretKey(key: string): boolean {
  return /secret|token|password|passphrase|customer_key$/.test(key);
}
