import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type ClassLimits, classNamed, keptClass, mappedClass } from '../../src/model/storage-class.js';
import { OSS_CLASSES, S3_CLASSES } from '../../src/store/attributes/classes.js';
import { S3_PROVIDERS } from '../../src/store/attributes/s3-providers.js';

const CEPH = S3_PROVIDERS.ceph.classes;
const ALL: ClassLimits[] = [OSS_CLASSES, ...Object.values(S3_PROVIDERS).map(({ classes }) => classes)];

it.each([
  ['STANDARD', 'Standard'],
  ['REDUCED_REDUNDANCY', 'Standard'],
  ['INTELLIGENT_TIERING', 'Standard'],
  ['STANDARD_IA', 'IA'],
  ['ONEZONE_IA', 'IA'],
  ['GLACIER_IR', 'IA'],
  ['GLACIER', 'Archive'],
  ['DEEP_ARCHIVE', 'DeepColdArchive'],
])('S3 %s is like OSS %s', (from, to) => {
  expect(mappedClass(from, S3_CLASSES, OSS_CLASSES)).toBe(to);
});

it.each([
  ['Standard', 'STANDARD'],
  ['IA', 'STANDARD_IA'],
  ['Archive', 'GLACIER'],
  ['ColdArchive', 'GLACIER'],
  ['DeepColdArchive', 'DEEP_ARCHIVE'],
])('OSS %s is like S3 %s', (from, to) => {
  expect(mappedClass(from, OSS_CLASSES, S3_CLASSES)).toBe(to);
});

it.each([
  ['r2 GLACIER', S3_PROVIDERS.r2.classes, 'GLACIER', undefined],
  ['r2 ONEZONE_IA', S3_PROVIDERS.r2.classes, 'ONEZONE_IA', 'STANDARD_IA'],
  ['b2 STANDARD_IA', S3_PROVIDERS.b2.classes, 'STANDARD_IA', 'STANDARD'],
  ['gcs GLACIER_IR', S3_PROVIDERS.gcs.classes, 'GLACIER_IR', 'COLDLINE'],
  ['gcs DEEP_ARCHIVE', S3_PROVIDERS.gcs.classes, 'DEEP_ARCHIVE', 'ARCHIVE'],
  ['scaleway STANDARD_IA', S3_PROVIDERS.scaleway.classes, 'STANDARD_IA', 'STANDARD'],
  ['ceph GLACIER', CEPH, 'GLACIER', undefined],
  ['obs STANDARD_IA', S3_PROVIDERS.obs.classes, 'STANDARD_IA', 'WARM'],
] as const)('from Amazon to %s', (_name, to, from, expected) => {
  expect(mappedClass(from, S3_CLASSES, to)).toBe(expected);
});

it('archive classes become archive classes, and only they', () => {
  const archived = (name: string, { kinds }: ClassLimits) =>
    ['archive', 'cold', 'deep', 'deepest'].includes(kinds[name] ?? '');
  for (const from of ALL) {
    for (const to of ALL) {
      for (const name of Object.keys(from.kinds)) {
        const found = mappedClass(name, from, to);
        if (found !== undefined)
          expect([name, found, archived(found, to)]).toEqual([name, found, archived(name, from)]);
      }
    }
  }
});

it("the user's table comes first, in any case, also for a class that nobody lists", () => {
  const table = { glacier: 'coldarchive', FAST: 'IA' };
  expect(mappedClass('GLACIER', S3_CLASSES, OSS_CLASSES, table)).toBe('ColdArchive');
  expect(mappedClass('FAST', CEPH, OSS_CLASSES, table)).toBe('IA');
  expect(mappedClass('FAST', CEPH, OSS_CLASSES)).toBeUndefined();
});

it('a name is kept where the destination knows it, or where both sides may have it', () => {
  expect(keptClass('standard', OSS_CLASSES, S3_CLASSES)).toBe('STANDARD');
  expect(keptClass('STANDARD_IA', S3_CLASSES, OSS_CLASSES)).toBeUndefined();
  expect(keptClass('FAST', CEPH, CEPH)).toBe('FAST');
  expect(keptClass('GLACIER', S3_CLASSES, CEPH)).toBeUndefined();
});

it('a class of any name is refused by a closed list only, whatever the name', () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      expect(classNamed(name, CEPH)).toBeDefined();
      const known = classNamed(name, S3_CLASSES);
      if (known !== undefined) expect(Object.hasOwn(S3_CLASSES.kinds, known)).toBe(true);
    }),
  );
  expect(classNamed('toString', S3_CLASSES)).toBeUndefined();
});
