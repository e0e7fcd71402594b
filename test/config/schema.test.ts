import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configJsonSchemaText } from '../../src/config/json-schema.js';
import { didYouMean, editDistance, nearest } from '../../src/config/nearest.js';
import { escapeReferences, fillReferences, hasReference, isOnlyReferences } from '../../src/config/references.js';

it('the schema that editors use is the one that the program checks (npx tsx schema/generate.ts)', () => {
  const committed = readFileSync(new URL('../../schema/config.schema.json', import.meta.url), 'utf8');
  expect(committed).toBe(configJsonSchemaText());
});

describe('nearest', () => {
  it.each([
    ['acces_key_id', 'access_key_id'],
    ['secret_acces_key', 'secret_access_key'],
    ['regoin', 'region'],
    ['REGION', 'region'],
    ['r', undefined],
    ['colour', undefined],
  ])('%s → %s', (word, expected) => {
    expect(nearest(word, ['type', 'region', 'access_key_id', 'secret_access_key'])).toBe(expected);
  });

  it('counts a swap as one slip', () => {
    expect(editDistance('regoin', 'region')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
    expect(didYouMean('zzz', ['a'])).toBe('');
  });

  it('is a distance: zero for the same word only, and the same both ways', () => {
    const word = fc.string({ maxLength: 8 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
      }),
    );
  });
});

describe('references', () => {
  it('escaped text comes back as it was, whatever it holds', () => {
    const text = fc.array(fc.constantFrom('$', '{', '}', 'A', '$$', `\${A}`, ' ')).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (original) => {
        expect(fillReferences(escapeReferences(original), {})).toBe(original);
        expect(hasReference(escapeReferences(original))).toBe(false);
      }),
    );
  });

  it('tells a name from a secret', () => {
    expect(isOnlyReferences(`\${A}\${B}`)).toBe(true);
    expect(isOnlyReferences(`\${A}x`)).toBe(false);
    expect(isOnlyReferences('$${A}')).toBe(false);
    expect(hasReference(`x\${A}`)).toBe(true);
    expect(hasReference('$A')).toBe(false);
  });
});
