import { describe, expect, it } from 'vitest';
import { lockOf, readTags, taggingBody, taggingText } from '../../../src/store/http/attributes.js';

const TAGS = [
  { key: 'a b+c', value: '1&2=3' },
  { key: 'größe', value: '' },
];

describe('tags', () => {
  it('are a query in a header', () => {
    expect(taggingText(TAGS)).toBe('a%20b%2Bc=1%262%3D3&gr%C3%B6%C3%9Fe=');
  });

  it('are a document that reads back', () => {
    const escaped = (text: string) => text.replaceAll('&', '&amp;');
    expect(readTags(Buffer.from(taggingBody(TAGS, escaped)))).toEqual(TAGS);
    expect(readTags(Buffer.from('<Tagging><TagSet/></Tagging>'))).toEqual([]);
  });
});

describe('a lock', () => {
  const UNTIL = '2030-01-01T00:00:00.000Z';

  it('is what the headers say', () => {
    expect(lockOf('COMPLIANCE', UNTIL, undefined)).toEqual({ mode: 'COMPLIANCE', untilMs: Date.parse(UNTIL) });
    expect(lockOf(undefined, undefined, 'ON')).toEqual({ legalHold: true });
  });

  it.each([
    ['no headers', undefined, undefined, undefined],
    ['a hold that is off', undefined, undefined, 'OFF'],
    ['a mode of another kind', 'FOREVER', UNTIL, undefined],
    ['a mode without an end', 'COMPLIANCE', 'soon', undefined],
  ])('is none with %s', (_name, mode, until, hold) => {
    expect(lockOf(mode, until, hold)).toBeUndefined();
  });
});
