/** Random objects with random attributes, put in place without xsync where a service holds them, and what is found later. */
import fc from 'fast-check';
import { md5 } from '../../../src/hash/index.js';
import type { ObjectLock, Tag } from '../../../src/model/attributes.js';
import { isXsyncError } from '../../../src/model/error.js';
import type { ContentHeaders, UserMetadata } from '../../../src/model/object.js';
import type { PutOptions } from '../../../src/store/port.js';
import type { TestServer } from '../../support/server/index.js';
import { bytesOf, contentOf } from '../support.js';
import type { Kind, Where } from './places.js';

export interface Model {
  key: string;
  size: number;
  headers: ContentHeaders;
  metadata: UserMetadata;
  tags: Tag[];
  acl: string;
  lock?: ObjectLock;
  redirect?: string;
}

const UNTIL = Date.UTC(2099, 0, 1);

const header = (...values: string[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
const HEADERS: fc.Arbitrary<ContentHeaders> = fc.record({
  contentType: fc.constantFrom('text/plain', 'x-odd/type; charset=utf-8', 'application/octet-stream'),
  contentEncoding: header('br', 'compress'),
  contentDisposition: header('attachment; filename="a b.txt"', 'inline'),
  contentLanguage: header('de, en'),
  cacheControl: header('no-cache', 'max-age=3600, private'),
  expires: header('Thu, 01 Dec 2044 16:00:00 GMT', '0'),
});

const NAME = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('a', 'my_key', 'x_', '_', 'a-x5f-b', 'a-x', 'xsync-packed', '-x2d-', 'x.y~z'),
  },
  { weight: 1, arbitrary: fc.constantFrom('größe', '中', 'with space', 'a:b') },
  { weight: 3, arbitrary: fc.stringMatching(/^[a-z0-9!#$%&'*+.^_`|~-]{1,12}$/) },
);
const VALUE = fc.oneof(
  { weight: 3, arbitrary: fc.stringMatching(/^[!-~]{1,20}$/) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', ' padded ', 'ü 中 🙂', '=?UTF-8?B?eA==?=', '=?UTF-8?Q?=C3=BC?= ä', 'a\tb'),
  },
  { weight: 1, arbitrary: fc.integer({ min: 200, max: 3000 }).map((n) => 'text '.repeat(n / 5) + n) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 200, max: 3000 }).map((n) => Buffer.from(bytesOf(`${n}`, n)).toString('hex')),
  },
);
const METADATA = fc.oneof(
  { weight: 2, arbitrary: fc.constant<UserMetadata>({}) },
  { weight: 3, arbitrary: fc.dictionary(NAME, VALUE, { maxKeys: 5 }) },
  {
    weight: 1,
    arbitrary: fc.dictionary(NAME, VALUE, { maxKeys: 2 }).map((all) => ({ ...all, mtime: '1600000000.123' })),
  },
);

const TAG_TEXT = fc.oneof(
  { weight: 3, arbitrary: fc.stringMatching(/^[A-Za-z0-9 +\-=._:/]{1,10}$/) },
  { weight: 1, arbitrary: fc.constantFrom('größe', 'a@b', '中', 'x'.repeat(100)) },
);
const TAGS = fc.uniqueArray(fc.record({ key: TAG_TEXT, value: fc.oneof(TAG_TEXT, fc.constant('')) }), {
  maxLength: 10,
  selector: ({ key }) => key,
});

const LOCK: fc.Arbitrary<ObjectLock | undefined> = fc.option(
  fc.constantFrom<ObjectLock>(
    { mode: 'COMPLIANCE', untilMs: UNTIL },
    { mode: 'GOVERNANCE', untilMs: UNTIL },
    { legalHold: true },
    { mode: 'COMPLIANCE', untilMs: UNTIL, legalHold: true },
  ),
  { nil: undefined, freq: 3 },
);

/** The canned ACLs of each kind, the usual one first; as the services document them. */
export const ACLS: Record<Kind, readonly string[]> = {
  s3: ['private', 'public-read', 'public-read-write', 'authenticated-read'],
  oss: ['default', 'private', 'public-read', 'public-read-write'],
  memory: ['private', 'public-read', 'public-read-write'],
  local: ['private'],
};

export const MODELS: fc.Arbitrary<Model[]> = fc.uniqueArray(
  fc.record({
    key: fc.constantFrom('a', 'b.txt', 'dir/c', 'dir/d e', 'ü'),
    size: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(0, 1, 1000) },
      { weight: 1, arbitrary: fc.constant(250 * 1024) },
    ),
    headers: HEADERS,
    metadata: METADATA,
    tags: fc.oneof({ weight: 1, arbitrary: fc.constant<Tag[]>([]) }, { weight: 2, arbitrary: TAGS }),
    acl: fc.constantFrom('usual', 'public-read', 'public-read-write', 'private', 'authenticated-read'),
    lock: LOCK,
    redirect: fc.option(fc.constantFrom('/elsewhere', 'https://example.com/a?b=c'), { nil: undefined, freq: 2 }),
  }),
  { selector: ({ key }) => key, minLength: 1, maxLength: 4 },
);

const OSS_TAG = /^[A-Za-z0-9 +\-=._:/]*$/;

/** Whether the documentation of the kind says that it holds the tag. */
export function holdsTag(kind: Kind, { key, value }: Tag): boolean {
  if (kind === 'local') return false;
  return kind !== 'oss' || OSS_TAG.test(key + value);
}

export function holdsLock(kind: Kind, { mode }: ObjectLock): boolean {
  return kind !== 'local' && (kind !== 'oss' || mode !== 'GOVERNANCE');
}

/** The model as the kind can hold it. */
function fitted(model: Model, kind: Kind, locks: boolean): Model {
  const acl = ACLS[kind].includes(model.acl) ? model.acl : (ACLS[kind][0] ?? '');
  const lock = locks && model.lock && holdsLock(kind, model.lock) ? model.lock : undefined;
  const redirect = kind === 's3' || kind === 'memory' ? model.redirect : undefined;
  const headers = Object.fromEntries(Object.entries(model.headers).filter(([, value]) => value !== undefined));
  return { ...model, acl, lock, redirect, headers, tags: model.tags.filter((tag) => holdsTag(kind, tag)) };
}

/** Puts the objects there. @returns them as the place holds them */
export async function plant(
  where: Where,
  server: TestServer,
  models: readonly Model[],
  locks: boolean,
): Promise<Model[]> {
  const planted: Model[] = [];
  for (const model of models) {
    const fit = fitted(model, where.kind, locks);
    if (isBare(fit) && (where.kind === 's3' || where.kind === 'oss')) plantBare(where.kind, where.name, server, fit);
    else await write(where, fit);
    planted.push(fit);
  }
  return planted;
}

/** What the service would hold without an encoding of xsync. */
function isBare({ metadata }: Model): boolean {
  const entries = Object.entries(metadata);
  const fits = entries.reduce((sum, [name, value]) => sum + name.length + Buffer.byteLength(value), 0) <= 2000;
  return fits && entries.every(([name, value]) => /^[a-z0-9-]+$/.test(name) && /^[!-~]([\P{C}]*[!-~])?$/u.test(value));
}

const HEADER_NAMES: Record<keyof ContentHeaders, string> = {
  contentType: 'content-type',
  contentEncoding: 'content-encoding',
  contentDisposition: 'content-disposition',
  contentLanguage: 'content-language',
  cacheControl: 'cache-control',
  expires: 'expires',
};

function plantBare(kind: 's3' | 'oss', bucket: string, { core }: TestServer, model: Model): void {
  const { key, size, headers, metadata, tags, acl, lock, redirect } = model;
  core[kind].put(bucket, key, bytesOf(key, size), {
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [HEADER_NAMES[name as keyof ContentHeaders], value]),
    ),
    metadata: Object.fromEntries(
      Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value).toString('latin1')]),
    ),
    tags,
    acl,
    ...(lock && { lock: { mode: lock.mode, untilMs: lock.untilMs, ...(lock.legalHold && { hold: true }) } }),
    ...(redirect !== undefined && { redirect }),
  });
}

/** Through the store; without metadata where it has no room for it. */
async function write({ store, kind }: Where, model: Model): Promise<void> {
  const { key, size, headers, tags, acl, lock, redirect } = model;
  const body = bytesOf(key, size);
  const more = kind === 'local' ? {} : { tags, acl, redirect, contentMd5: md5(body) };
  const inHeaders = kind === 'oss' ? lock && { ...lock, legalHold: undefined } : lock;
  const put = (metadata: UserMetadata): PutOptions => ({
    headers,
    metadata,
    ...more,
    ...(inHeaders && (inHeaders.mode || inHeaders.legalHold) && { lock: inHeaders }),
  });
  try {
    await store.put(key, body, put(model.metadata));
  } catch (error) {
    if (!isXsyncError(error, 'metadata-too-large')) throw error;
    model.metadata = {};
    await store.put(key, body, put({}));
  }
  if (kind === 'oss' && lock?.legalHold) await store.putLock(key, { legalHold: true });
}

export interface Seen extends Omit<Model, 'size'> {
  bytes: Buffer;
  /** Of the file, on local disk. */
  mtimeMs: number;
  /** As the service would return it, in the names and values of its headers. */
  served?: Record<string, string>;
}

/** What stands there now. */
export async function look({ store, kind, name }: Where, { core }: TestServer, key: string): Promise<Seen> {
  const { headers, metadata, lock, redirect, mtimeMs } = await store.head(key);
  const bytes = await contentOf(store, key);
  if (kind === 'local') return { key, headers, metadata, tags: [], acl: 'private', bytes, mtimeMs };
  const tags = [...(await store.getTags(key))];
  const acl = await store.getAcl(key);
  const served = kind === 'memory' ? undefined : servedBy(kind, core[kind].get(name, key)?.metadata ?? {});
  return { key, headers, metadata, tags, acl, lock, redirect, bytes, mtimeMs, served };
}

/** S3 returns what is not ASCII as encoded words. */
function servedBy(kind: 's3' | 'oss', metadata: Record<string, string>): Record<string, string> {
  if (kind === 'oss') return metadata;
  const word = (value: string) =>
    /[^\x20-\x7e]/.test(value) ? `=?UTF-8?B?${Buffer.from(value, 'latin1').toString('base64')}?=` : value;
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, word(value)]));
}
