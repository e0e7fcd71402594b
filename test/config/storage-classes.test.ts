import { beforeAll, describe, expect, it } from 'vitest';
import { type ClassRoute, classesBetween } from '../../src/config/storage-classes.js';
import { complaint, load, scratch } from './support.js';

const REMOTES = `remotes:
  west: { type: memory }
  lab: { type: memory }
`;

let folder: string;
beforeAll(async () => {
  folder = await scratch();
});

describe('storage_classes in the config', () => {
  it('are read beside the remotes, also for the remotes that a scheme implies', async () => {
    const text = `${REMOTES}storage_classes:\n  - { from: west, to: "oss:photos", classes: { GLACIER: ColdArchive } }\n`;
    const { classRoutes, remotes } = await load(folder, text);
    expect(classRoutes).toEqual([{ from: 'west', to: 'oss:photos', classes: { GLACIER: 'ColdArchive' } }]);
    expect(Object.keys(remotes)).toEqual(['west', 'lab']);
    expect(await load(folder, REMOTES)).not.toHaveProperty('classRoutes');
  });

  it.each([
    ['storage_clases: []', 'F:4:1: unknown key "storage_clases"; did you mean "storage_classes"?'],
    ['stuff: []', 'F:4:1: unknown key "stuff"; the keys are remotes, storage_classes, rules'],
    ['storage_classes: 3', 'F:4:1: storage_classes: must be a list of routes'],
    [
      'storage_classes: [{ from: west, too: lab, classes: {} }]',
      'F:4:1: storage_classes: route 1: to must be text\nF:4:1: storage_classes: route 1: unknown key "too"; did you mean "to"?',
    ],
    [
      'storage_classes: [{ from: wets, to: lab, classes: {} }]',
      'F:4:1: storage_classes: there is no remote "wets"; did you mean "west"?',
    ],
  ])('%s', async (text, expected) => {
    expect(await complaint(folder, () => load(folder, `${REMOTES}${text}\n`))).toBe(`config: ${expected}`);
  });
});

it('the first route that names a class decides; others add their own', () => {
  const routes: ClassRoute[] = [
    { from: 'west:b', to: 'lab', classes: { GLACIER: 'ColdArchive' } },
    { from: 'west', to: 'lab', classes: { GLACIER: 'Archive', STANDARD_IA: 'Standard' } },
    { from: 'lab', to: 'west', classes: { IA: 'STANDARD' } },
  ];
  const between = (bucket: string) => classesBetween(routes, { name: 'west', bucket }, { name: 'lab', bucket: 'c' });
  expect(between('b')).toEqual({ GLACIER: 'ColdArchive', STANDARD_IA: 'Standard' });
  expect(between('x')).toEqual({ GLACIER: 'Archive', STANDARD_IA: 'Standard' });
  expect(classesBetween(routes, { name: 'x', bucket: 'b' }, { name: 'lab', bucket: 'c' })).toEqual({});
});
