import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/load.js';
import { toXsyncError } from '../../src/model/error.js';
import { classesFor } from '../../src/open/storage-classes.js';
import { LOCAL_ATTRIBUTES, OSS_ATTRIBUTES, S3_ATTRIBUTES } from '../../src/store/attributes/limits.js';
import { S3_PROVIDERS } from '../../src/store/attributes/s3-providers.js';
import { MemoryStore } from '../../src/store/memory/store.js';
import type { AttributeLimits } from '../../src/store/port.js';

const side = (text: string, attributes: AttributeLimits) => ({
  text,
  store: new MemoryStore({ capabilities: { attributes } }),
});
const WEST = side('west:b', S3_ATTRIBUTES);
const LAB = side('lab:b', OSS_ATTRIBUTES);
const CEPH = side('rgw:b', S3_PROVIDERS.ceph);
const DISK = side('./folder', LOCAL_ATTRIBUTES);

const config = (classes: Record<string, string>): Config => ({
  path: 'c.yaml',
  remotes: Object.fromEntries(['west', 'lab', 'rgw'].map((name) => [name, { type: 'memory' }])),
  unset: {},
  classRoutes: [{ from: 'west', to: 'lab', classes }],
});

function complaint(work: () => unknown): string {
  try {
    return `accepted: ${JSON.stringify(work())}`;
  } catch (error) {
    const { code, message, remedy } = toXsyncError(error);
    return `${code}: ${message} → ${remedy}`;
  }
}

describe('a class is compared with those of the destination before anything is sent', () => {
  it.each([
    ['STANDRAD_IA', WEST, '--storage-class: west:b has no storage class "STANDRAD_IA"; did you mean "STANDARD_IA"?'],
    ['GLACIER', LAB, '--storage-class: lab:b has no storage class "GLACIER"'],
    ['mpa', LAB, '--storage-class: lab:b has no storage class "mpa"; did you mean "map"?'],
  ])('%s', (asked, dest, expected) => {
    const remedy = `Use keep, map, or one of ${Object.keys(dest.store.capabilities.attributes.classes?.kinds ?? {}).join(', ')}.`;
    expect(complaint(() => classesFor(asked, { source: CEPH, dest }, config({})))).toBe(
      `usage: ${expected} → ${remedy}`,
    );
  });

  it('a disk has none', () => {
    expect(complaint(() => classesFor('GLACIER', { source: WEST, dest: DISK }, config({})))).toBe(
      'usage: --storage-class: ./folder has no storage classes → Omit --storage-class.',
    );
  });

  it.each([
    ['glacier', WEST],
    ['FAST_SSD', CEPH],
    ['keep', DISK],
    ['map', LAB],
    [undefined, DISK],
  ])('%s is accepted', (asked, dest) => {
    expect(classesFor(asked, { source: CEPH, dest }, config({}))).toEqual(asked === 'map' ? {} : undefined);
  });
});

describe('the table of a route', () => {
  it('is there for map alone', () => {
    const given = config({ GLACIER: 'ColdArchive' });
    expect(classesFor('map', { source: WEST, dest: LAB }, given)).toEqual({ GLACIER: 'ColdArchive' });
    expect(classesFor('keep', { source: WEST, dest: LAB }, given)).toBeUndefined();
    expect(classesFor('map', { source: LAB, dest: WEST }, given)).toEqual({});
  });

  it.each([
    [{ GLACEIR: 'Archive' }, 'west:b has no storage class "GLACEIR"; did you mean "GLACIER"?'],
    [{ GLACIER: 'ColdArchiv' }, 'lab:b has no storage class "ColdArchiv"; did you mean "ColdArchive"?'],
  ])('%j names classes that exist', (classes, expected) => {
    expect(complaint(() => classesFor('map', { source: WEST, dest: LAB }, config(classes)))).toContain(
      `config: storage_classes in c.yaml: ${expected} → Use one of `,
    );
  });
});
