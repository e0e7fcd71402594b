import { expect, it } from 'vitest';
import { carry, type Keeps } from '../../../src/engine/fidelity/carry.js';
import { type CarryPolicy, USUAL_POLICY } from '../../../src/model/carry-policy.js';
import { LOCAL_ATTRIBUTES, OSS_ATTRIBUTES, S3_ATTRIBUTES } from '../../../src/store/attributes/limits.js';
import { S3_PROVIDERS } from '../../../src/store/attributes/s3-providers.js';

const store = { keepsMetadata: true, keepsMtime: false };
const S3: Keeps = { ...store, attributes: S3_ATTRIBUTES, defaultStorageClass: 'STANDARD' };
const R2: Keeps = { ...store, attributes: S3_PROVIDERS.r2, defaultStorageClass: 'STANDARD' };
const OSS: Keeps = { ...store, attributes: OSS_ATTRIBUTES, defaultStorageClass: 'Standard' };
const DISK: Keeps = { keepsMetadata: true, keepsMtime: true, attributes: LOCAL_ATTRIBUTES };

const over = (has: string | undefined, from: Keeps, to: Keeps, policy: Partial<CarryPolicy>) => {
  const object = { key: 'k', size: 1, etag: 'e', mtimeMs: 0, checksums: {}, headers: {}, metadata: {} };
  const { put, fidelity } = carry({ ...object, storageClass: has }, from, to, { ...USUAL_POLICY, ...policy });
  const { kept = [], mapped = [], lost = [] } = fidelity ?? {};
  return [put.storageClass, ...kept, ...mapped.map(({ reason }) => reason), ...lost.map(({ reason }) => reason)];
};

it.each<[name: string, has: string | undefined, Keeps, Keeps, Partial<CarryPolicy>, (string | undefined)[]]>([
  ['nothing asked: what the destination gives', 'GLACIER', S3, OSS, {}, [undefined]],
  ['keep: the same name', 'STANDARD_IA', S3, R2, { storageClass: 'keep' }, ['STANDARD_IA', 'storage-class']],
  ['keep: the usual class, whatever the remote says', undefined, S3, S3, { storageClass: 'keep' }, ['STANDARD']],
  ['keep: the usual class in another case', undefined, S3, OSS, { storageClass: 'keep' }, ['Standard']],
  [
    'keep: no such name',
    'STANDARD_IA',
    S3,
    OSS,
    { storageClass: 'keep' },
    [undefined, 'the destination has no STANDARD_IA; --storage-class map finds a similar one'],
  ],
  ['map: a similar one', 'STANDARD_IA', S3, OSS, { storageClass: 'map' }, ['IA', 'STANDARD_IA became IA']],
  [
    'map: to the usual one, said',
    'INTELLIGENT_TIERING',
    S3,
    OSS,
    { storageClass: 'map' },
    ['Standard', 'INTELLIGENT_TIERING became Standard'],
  ],
  ['map: the usual one, silent', undefined, OSS, S3, { storageClass: 'map' }, ['STANDARD']],
  [
    'map: by the table',
    'GLACIER',
    S3,
    OSS,
    { storageClass: 'map', classes: { GLACIER: 'ColdArchive' } },
    ['ColdArchive', 'GLACIER became ColdArchive'],
  ],
  [
    'map: the usual one by the table',
    undefined,
    S3,
    OSS,
    { storageClass: 'map', classes: { STANDARD: 'IA' } },
    ['IA', 'STANDARD became IA'],
  ],
  [
    'map: nothing similar',
    'GLACIER',
    S3,
    R2,
    { storageClass: 'map' },
    [undefined, 'the destination has no GLACIER; name one under storage_classes'],
  ],
  ['keep from a disk', undefined, DISK, OSS, { storageClass: 'keep' }, [undefined]],
  ['keep to a disk', 'GLACIER', S3, DISK, { storageClass: 'keep' }, [undefined, 'the destination has none']],
  ['keep of the usual class to a disk', undefined, S3, DISK, { storageClass: 'keep' }, [undefined]],
  ['one class for all, in its spelling', 'GLACIER', S3, OSS, { storageClass: 'archive' }, ['Archive']],
])('%s', (_name, has, from, to, policy, expected) => {
  expect(over(has, from, to, policy)).toEqual(expected);
});
