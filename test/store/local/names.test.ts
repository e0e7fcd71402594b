import { mkdir, readdir, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareKeys } from '../../../src/model/key.js';
import { escapeName, Names, namesIn, unescapeName } from '../../../src/store/local/names.js';
import { bytes, expectCode, listAll, readAll, text } from '../../contract/context.js';
import { useFixture } from './fixture.js';

describe('an escaped name', () => {
  it('shows what is UTF-8 as it is, and every other byte as \\xNN', () => {
    expect(escapeName(Buffer.from('d6d0cec42e747874', 'hex'))).toBe('\\xd6\\xd0\\xce\\xc4.txt');
    expect(escapeName(Buffer.concat([Buffer.from('é\\😀'), Buffer.from([0xff, 0x0a])]))).toBe('é\\\\😀\\xff\n');
    expect(unescapeName('plain.txt')).toBeUndefined();
  });

  it('stands for one name only', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), (name) => {
        const escaped = escapeName(Buffer.from(name));
        const back = unescapeName(escaped) ?? Buffer.from(escaped.replaceAll('\\\\', '\\'));
        expect([...back]).toEqual([...name]);
        expect(escaped).not.toMatch(/\p{Cs}/u);
      }),
    );
  });
});

describe('names in an encoding', () => {
  const fixture = useFixture();
  const GBK = { '中文.txt': 'd6d0cec42e747874', 吹: 'b4b5' };
  const raw = (hex: string) => Buffer.concat([Buffer.from(`${fixture.root}/`), Buffer.from(hex, 'hex')]);

  it('carry files and folders both ways, in key byte order', async () => {
    await mkdir(fixture.root);
    await writeFile(raw(GBK['中文.txt']), 'important');
    await mkdir(raw(GBK.吹));
    await writeFile(Buffer.concat([raw(GBK.吹), Buffer.from('/x.txt')]), 'important too');
    await writeFile(`${fixture.root}/a.txt`, 'a');
    const store = fixture.open({ names: await namesIn('gbk') });
    const keys = ['a.txt', '中文.txt', '吹/x.txt'];
    expect((await listAll(store)).keys).toEqual([...keys].sort(compareKeys));
    expect(text((await readAll(store, '吹/x.txt')).body)).toBe('important too');
    await store.put('文/中', bytes('new'), { metadata: { name: 'kept' } });
    expect((await store.head('文/中')).metadata).toEqual({ name: 'kept' });
    expect((await readdir(fixture.root, 'buffer')).map((name) => name.toString('hex'))).toContain('cec4');
    expect(await store.delete(['文/中', '中文.txt'])).toEqual([]);
    await store.close();
    expect((await readdir(fixture.root, 'buffer')).map((name) => name.toString('hex')).sort()).toEqual([
      '612e747874',
      'b4b5',
    ]);
  });

  it('complete uploads, markers and prefixes as others do', async () => {
    const store = fixture.open({ names: await namesIn('shift_jis') });
    const upload = await store.createUpload('大/表');
    const { etag } = await store.uploadPart(upload, 1, bytes('parts'));
    await store.completeUpload(upload, [{ partNumber: 1, etag }]);
    await store.put('大/空/', new Uint8Array());
    expect((await listAll(store, { prefix: '大/' })).keys).toEqual(['大/空/', '大/表']);
    // The second byte of 表 in Shift_JIS is that of a backslash.
    expect(await readdir(`${fixture.root}/`, 'buffer')).toContainEqual(Buffer.from('91e5', 'hex'));
  });

  it('refuse a key that the encoding does not have, and name a file whose bytes do not decode', async () => {
    await mkdir(fixture.root);
    await writeFile(raw('ff41'), 'no GBK');
    const store = fixture.open({ names: await namesIn('gbk') });
    const error = await expectCode(store.put('emoji 😀', bytes('x')), 'key-not-representable');
    expect(error.message).toContain('has characters that gbk does not have');
    const [entry] = (await listAll(store)).entries;
    expect(entry).toMatchObject({ key: '\\xffA', special: 'other', fault: { code: 'key-not-representable' } });
    expect(entry?.fault?.message).toContain('is not gbk');
  });

  it('are those of file systems: one byte for each ASCII character, and known', async () => {
    for (const name of ['utf-16', 'utf-7', 'base64', 'hex', 'klingon']) await expectCode(namesIn(name), 'usage');
    expect((await namesIn('UTF-8')).encoding).toBeUndefined();
    expect(new Names().join('/', 'a')).toBe('/a');
  });
});
