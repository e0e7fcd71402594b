import fc from 'fast-check';
import { XMLParser } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import { XsyncError } from '../../../src/model/error.js';
import { readXml, xmlRoot } from '../../../src/store/http/xml.js';

const SHAPE = {
  root: 'ListBucketResult',
  fields: ['IsTruncated', 'Prefix'],
  lists: { Contents: ['Key', 'Size', 'ETag'], CommonPrefixes: ['Prefix'] },
} as const;

const read = (text: string) => readXml(Buffer.from(text), SHAPE);

const PAGE = `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix/>
  <Contents><Owner><ID>Key</ID><Key>not this</Key></Owner><Key>a&amp;b&#13;&#x4e2d;é</Key><ETag>&quot;x&quot;</ETag>
    <RestoreStatus ><IsRestoreInProgress>false</IsRestoreInProgress></RestoreStatus><Size>7</Size></Contents>
  <!-- <Contents> --><Contents><Size>0</Size><Key note="1 > 0"><![CDATA[<k>&amp;]]> end </Key ></Contents>
  <CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes><IsTruncated>true</IsTruncated>
</ListBucketResult>
`;

describe('a field in quotation marks', () => {
  it.each([
    ['&quot;abc&quot;', 'abc'],
    ['"abc"', 'abc'],
    ['abc', 'abc'],
    ['&quot;a&amp;b&quot;', 'a&b'],
    ['"a&lt;b"', 'a<b'],
    ['&quot;&quot;', ''],
    ['&quot;', '"'],
    ['"', '"'],
    ['&quot;abc', '"abc'],
    ['"abc&quot;', '"abc"'],
    ['W/"abc"', 'W/"abc"'],
    ['<![CDATA["abc"]]>', '"abc"'],
    ['', ''],
  ])('%s is read without them, and otherwise verbatim', (written, text) => {
    const page = `<ListBucketResult><Contents><Key>"k"</Key><ETag>${written}</ETag></Contents></ListBucketResult>`;
    const { lists } = readXml(Buffer.from(page), { ...SHAPE, quoted: ['ETag'] });
    expect(lists.Contents).toEqual([{ Key: '"k"', ETag: text }]);
  });
});

describe('reading a listing page', () => {
  it('gets every key right among nested elements, entities, CDATA, comments, attributes and any order', () => {
    expect(read(PAGE)).toEqual({
      fields: { IsTruncated: 'true', Prefix: '' },
      lists: {
        Contents: [
          { Key: 'a&b\r\u4e2d\u00e9', ETag: '"x"', Size: '7' },
          { Key: '<k>&amp; end ', Size: '0' },
        ],
        CommonPrefixes: [{ Prefix: 'p/' }],
      },
    });
  });

  it('never takes a page that was cut short for a short page', () => {
    const bytes = Buffer.from(PAGE.trimEnd());
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readXml(bytes.subarray(0, length), SHAPE), `cut at ${length}`).toThrow(XsyncError);
    }
  });

  it.each([
    ['tags that do not balance', '<ListBucketResult><Contents><Key>a</Contents></Key></ListBucketResult>'],
    ['another close tag', '<ListBucketResult><Prefix>a</Prefiy></ListBucketResult>'],
    ['a longer close tag', '<ListBucketResult></ListBucketResults>'],
    ['an unknown entity', '<ListBucketResult><Prefix>&nbsp;</Prefix></ListBucketResult>'],
    ['a bare ampersand', '<ListBucketResult><Prefix>a & b</Prefix></ListBucketResult>'],
    ['half a surrogate pair', '<ListBucketResult><Prefix>&#xD800;</Prefix></ListBucketResult>'],
    ['a code point beyond Unicode', '<ListBucketResult><Prefix>&#x110000;</Prefix></ListBucketResult>'],
    ['an element within a key', '<ListBucketResult><Prefix>a<b/></Prefix></ListBucketResult>'],
    ['text after the root', '<ListBucketResult/>x'],
    ['a second root', '<ListBucketResult/><ListBucketResult/>'],
    ['a document type', '<!DOCTYPE x><ListBucketResult/>'],
    ['another root', '<html></html>'],
    ['nothing', ''],
    ['no XML', 'oops'],
  ])('refuses %s', (_what, text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'invalid-response' }));
  });

  it('refuses bytes that are not UTF-8 rather than alter a key', () => {
    const bytes = Buffer.from('<ListBucketResult><Prefix>a\xff</Prefix></ListBucketResult>', 'latin1');
    expect(() => readXml(bytes, SHAPE)).toThrow(expect.objectContaining({ code: 'invalid-response' }));
  });

  it('refuses bottomless nesting without running out of stack', () => {
    expect(() => read(`<ListBucketResult>${'<a>'.repeat(100_000)}`)).toThrow(XsyncError);
  });
});

describe('against another parser', () => {
  const parser = new XMLParser({
    parseTagValue: false,
    trimValues: false,
    processEntities: true,
    htmlEntities: true,
    ignoreAttributes: true,
    isArray: (name) => name === 'Contents',
  });
  // Carriage returns go as references, as the services write them; the other parser drops other control characters.
  const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((s) => !/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/u.test(s));
  const escaping = fc.constantFrom(
    (s: string) => s.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
    (s: string) => [...s].map((c) => `&#x${c.codePointAt(0)?.toString(16)};`).join(''),
    (s: string) => [...s].map((c) => `&#${c.codePointAt(0)};`).join(''),
  );
  const element = (name: string) =>
    fc.tuple(text, escaping, fc.constantFrom('', ' ', ' a="&gt;"')).map(([s, esc, attribute]) => {
      return `<${name}${attribute}>${esc(s)}</${name}>`;
    });
  const record = fc
    .tuple(
      element('Key'),
      element('Size'),
      element('ETag'),
      element('ID').map((id) => `<Owner>${id}</Owner>`),
    )
    .chain((parts) => fc.shuffledSubarray(parts, { minLength: 1 }))
    .map((parts) => `<Contents>${parts.join('')}</Contents>`);

  it('reads the same keys out of any page', () => {
    fc.assert(
      fc.property(fc.array(record), (records) => {
        const page = `<?xml version="1.0"?><ListBucketResult>${records.join('')}</ListBucketResult>`;
        const expected = (parser.parse(page).ListBucketResult?.Contents ?? []).map(
          ({ Owner: _owner, ...fields }: { Owner?: unknown }) => fields,
        );
        expect(read(page).lists.Contents).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });
});

it('knows an error document from an answer', () => {
  expect(xmlRoot(Buffer.from('<?xml version="1.0"?>\n\n<Error><Code>x</Code></Error>'))).toBe('Error');
  expect(xmlRoot(Buffer.from('{}'))).toBeUndefined();
});
