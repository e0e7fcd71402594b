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

describe('numbers and times', () => {
  const TYPED = {
    root: 'R',
    fields: [],
    lists: { Row: ['Size', 'Time'] },
    numbers: { Size: 'count', Time: 'time' },
  } as const;
  const readRow = (row: string) => readXml(Buffer.from(`<R><Row>${row}</Row></R>`), TYPED).lists.Row[0];

  it.each([
    ['<Size>0</Size>', 0],
    ['<Size>9007199254740991</Size >', 9_007_199_254_740_991],
    ['<Size>9007199254740992</Size>', Number.NaN],
    ['<Size>007</Size>', 7],
    ['<Size>7<!-- --></Size>', 7],
    ['<Size><![CDATA[7]]></Size>', 7],
    ['<Size>&#55;</Size>', 7],
    ['<Size> 7</Size>', Number.NaN],
    ['<Size>7.0</Size>', Number.NaN],
    ['<Size>-7</Size>', Number.NaN],
    ['<Size></Size>', Number.NaN],
    ['<Size/>', Number.NaN],
    ['<Size>7</Size><Size>7</Size>', 7],
    ['<Size>7</Size><Size>8</Size>', Number.NaN],
    ['<Size>x</Size><Size>x</Size>', Number.NaN],
    ['<Time>2026-02-28T23:59:59.999Z</Time>', Date.UTC(2026, 1, 28, 23, 59, 59, 999)],
    ['<Time>2026-02-28T23:59:59Z</Time >', Date.UTC(2026, 1, 28, 23, 59, 59)],
    ['<Time>2026-02-28T23:59:59.5Z</Time>', Date.UTC(2026, 1, 28, 23, 59, 59, 500)],
    ['<Time>Sat, 28 Feb 2026 23:59:59 GMT</Time>', Date.UTC(2026, 1, 28, 23, 59, 59)],
    ['<Time>yesterday</Time>', Number.NaN],
    ['<Time/>', Number.NaN],
  ])('%s is %d', (written, value) => {
    expect(Object.values(readRow(written) ?? {}).filter((each) => each !== undefined)).toEqual([value]);
  });

  it('agree with Number and Date.parse for anything alike', () => {
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789 -.e'), maxLength: 20 });
    const twoDigits = fc.integer({ min: 0, max: 99 }).map((n) => String(n).padStart(2, '0'));
    const time = fc
      .tuple(
        fc.integer({ min: 0, max: 9999 }),
        fc.array(twoDigits, { minLength: 5, maxLength: 5 }),
        fc.constantFrom('', '.123'),
      )
      .map(([year, [a, b, c, d, e], ms]) => `${String(year).padStart(4, '0')}-${a}-${b}T${c}:${d}:${e}${ms}Z`);
    const real = fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })
      .map((date) => date.toISOString());
    fc.assert(
      fc.property(digits, fc.oneof(time, real), (count, when) => {
        const row = readRow(`<Size>${count}</Size><Time>${when}</Time>`);
        const isCount = /^\d+$/.test(count) && Number.isSafeInteger(Number(count));
        expect(row).toEqual({ Size: isCount ? Number(count) : Number.NaN, Time: Date.parse(when) });
      }),
    );
  });
});

it('texts that repeat, or almost, are read as they are', () => {
  const texts = [
    'STANDARD',
    'STANDARD',
    'STANDARD ',
    'A&amp;B',
    'A&amp;B',
    'é',
    'é',
    '',
    '<![CDATA[x]]>',
    'x',
    'xx',
    'x',
  ];
  const rows = texts.map((text) => `<CommonPrefixes><Prefix>${text}</Prefix></CommonPrefixes>`).join('');
  expect(read(`<ListBucketResult>${rows}</ListBucketResult>`).lists.CommonPrefixes.map(({ Prefix }) => Prefix)).toEqual(
    ['STANDARD', 'STANDARD', 'STANDARD ', 'A&B', 'A&B', 'é', 'é', '', 'x', 'x', 'xx', 'x'],
  );
});

describe('reading a listing page', () => {
  it('gets every key right among nested elements, entities, CDATA, comments, attributes and any order', () => {
    const first = { Key: 'a&b\r\u4e2d\u00e9', ETag: '"x"', Size: '7' };
    const second = { Key: '<k>&amp; end ', Size: '0' };
    const folder = { Prefix: 'p/' };
    const page = {
      fields: { IsTruncated: 'true', Prefix: '' },
      lists: { Contents: [first, second], CommonPrefixes: [folder] },
    };
    expect(read(PAGE)).toEqual({ ...page, sequence: [] });
    expect(readXml(Buffer.from(PAGE), { ...SHAPE, sequence: true })).toEqual({
      ...page,
      sequence: [
        { list: 'Contents', fields: first },
        { list: 'Contents', fields: second },
        { list: 'CommonPrefixes', fields: folder },
      ],
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

  it.each(['&', '&quot', '&quot{', '&#1', '&;', `&${'a'.repeat(1000)};`, '&#0000000000038;'])(
    'refuses the broken entity %j instead of waiting for its end',
    (entity) => {
      const pages = ['', ';'].map((rest) => `<ListBucketResult><Prefix>a${entity}b${rest}</Prefix></ListBucketResult>`);
      for (const page of pages) expect(() => read(page)).toThrow(expect.objectContaining({ code: 'invalid-response' }));
    },
  );

  it.each(['<!doctype html><html></html>', ' \n<HTML lang="en">', '<!DOCTYPE HTML PUBLIC "x">', '<body>'])(
    'says that %j is a web page and that the endpoint may be wrong',
    (page) => {
      expect(() => read(page)).toThrow(
        expect.objectContaining({
          code: 'invalid-response',
          message: 'a web page came in place of the response of the store',
          remedy: expect.stringContaining('endpoint'),
        }),
      );
    },
  );

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

describe('damaged pages', () => {
  const noise = fc.constantFrom(
    ...'&;<>/!?-[]"\'= #x0a\u00e9',
    '&quot;',
    '&#',
    '<![CDATA[',
    ']]>',
    '<!--',
    '-->',
    '<?',
    '?>',
  );
  const damage = fc.tuple(fc.nat(PAGE.length), fc.nat(12), fc.array(noise, { maxLength: 6 }));

  /** Reads the page; undefined when it is refused. */
  const attempt = (bytes: Buffer) => {
    try {
      return readXml(bytes, SHAPE);
    } catch (error) {
      expect(error).toMatchObject({ name: 'XsyncError', code: 'invalid-response' });
      return undefined;
    }
  };

  it('are read or refused, whatever the damage', () => {
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (damages) => {
        let page = PAGE;
        for (const [at, length, text] of damages) page = page.slice(0, at) + text.join('') + page.slice(at + length);
        attempt(Buffer.from(page));
      }),
      { numRuns: 3000 },
    );
  });

  it('are read or refused with any bytes flipped', () => {
    const bytes = Buffer.from(PAGE);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 })), { maxLength: 4 }),
        (flips) => {
          const page = Buffer.from(bytes);
          for (const [at, flip] of flips) page[at] = (page[at] ?? 0) ^ flip;
          attempt(page);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['entities without their ends', '&'],
    ['finished entities', '&amp;'],
    ['open tags', '<a>'],
    ['comments', '<!---->'],
    ['comments without their ends', '<!--'],
    ['sections', '<Prefix><![CDATA[x]]></Prefix>'],
    ['records', '<Contents></Contents>'],
    ['attributes', '<a b="'],
  ])('with %s take time in proportion to their length', (_what, unit) => {
    // Each byte is looked at a bounded number of times: 4 MB would otherwise take hours.
    const page = `<ListBucketResult><Prefix>${unit === '&' || unit === '&amp;' ? '' : '</Prefix>'}${unit.repeat(4_000_000 / unit.length)}`;
    attempt(Buffer.from(page));
  });
});

it('knows an error document from an answer', () => {
  expect(xmlRoot(Buffer.from('<?xml version="1.0"?>\n\n<Error><Code>x</Code></Error>'))).toBe('Error');
  expect(xmlRoot(Buffer.from('{}'))).toBeUndefined();
});
