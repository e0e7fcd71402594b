import { expect, it } from 'vitest';
import { bareEtag, sameEtag } from '../../src/model/etag.js';

const MD5 = 'd41d8cd98f00b204e9800998ecf8427e';

it.each([
  [MD5, MD5],
  [`"${MD5}"`, MD5],
  [`W/"${MD5}"`, MD5],
  [MD5.toUpperCase(), MD5],
  [`${MD5}-12`, `"${MD5.toUpperCase()}-12"`],
])('one version has different names: %s and %s', (a, b) => {
  expect(sameEtag(a, b)).toBe(true);
  expect(sameEtag(b, a)).toBe(true);
});

it.each([
  [MD5, `${MD5}-1`],
  // Not hexadecimal: letters of both cases have a meaning.
  ['CKih16GjycICEAE=', 'ckih16gjyciceae='],
  [undefined, MD5],
  ['', MD5],
])('different versions stay different: %s and %s', (a, b) => {
  expect(sameEtag(a, b)).toBe(false);
});

it.each([
  [`"${MD5}"`, MD5],
  [`W/"${MD5}"`, MD5],
  [MD5, MD5],
  ['""', ''],
  ['a/b', 'a/b'],
])('%s without quotes and weak mark', (quoted, bare) => {
  expect(bareEtag(quoted)).toBe(bare);
});
