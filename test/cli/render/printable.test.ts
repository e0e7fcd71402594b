import { describe, expect, it } from 'vitest';
import { keyText, printable } from '../../../src/cli/render/printable.js';
import { displayWidth, fit, shorten, wrap } from '../../../src/cli/render/width.js';

describe('keys on a screen', () => {
  it('no key can move the cursor, clear the screen, start a line or turn the text round', () => {
    expect(printable('a\nb\rc\td')).toBe('a\\nb\\rc\\td');
    expect(printable('\u001b[2J\u0007\u007f\u009b31m\u009f')).toBe('\\x1b[2J\\x07\\x7f\\x9b31m\\x9f');
    expect(printable('invoice\u202egpj.exe')).toBe('invoice\\u202egpj.exe');
    expect(printable('a\u2028b\u200bc\ufeff')).toBe('a\\u2028b\\u200bc\\ufeff');
    expect(printable('\ud83d')).toBe('\\ud83d');
  });

  it('every other character stays as it is', () => {
    const key = 'Ünïcödé/照片/😀 +%&?#"\'\\ e\u0301';
    expect(printable(key)).toBe(key);
  });

  it('the empty key of a marker at the root is still visible', () => {
    expect([keyText(''), keyText('a')]).toEqual(['./', 'a']);
  });

  it('wide characters count two columns, combining marks and colours none', () => {
    expect(['abc', '照片', '😀', 'e\u0301', '\u001b[31mred\u001b[39m'].map(displayWidth)).toEqual([3, 4, 2, 1, 3]);
  });

  it('a long key keeps its start and its end, and never exceeds its room', () => {
    expect(shorten('photos/2023/summer/img_0001.raw', 20)).toBe('photos/2…mg_0001.raw');
    for (const key of ['照'.repeat(50), '😀a'.repeat(30), 'x'.repeat(1000)]) {
      for (let width = 0; width < 40; width++) {
        expect(displayWidth(shorten(key, width))).toBeLessThanOrEqual(width);
        expect(displayWidth(fit(key, width))).toBe(width);
      }
    }
  });

  it('a key that is cut or wrapped is still made of the characters that it has', () => {
    const key = 'cafe\u0301 '.repeat(8).trimEnd();
    expect(wrap(key, 10).join(' ')).toBe(key);
    expect(shorten('e\u0301'.repeat(9), 6)).toBe(`${'e\u0301'.repeat(2)}…${'e\u0301'.repeat(3)}`);
    expect(shorten('👍🏽'.repeat(9), 6)).toBe('👍🏽…👍🏽');
  });

  it('a message that is wrapped loses no word and keeps to the width', () => {
    const text = 'the bucket is in another region than the one that was named, use eu-west-1';
    const lines = wrap(text, 30, '  ');
    expect(lines.every((line) => displayWidth(line) <= 30)).toBe(true);
    expect(lines.map((line) => line.trim()).join(' ')).toBe(text);
    expect(wrap('x'.repeat(25), 10)).toEqual(['x'.repeat(10), 'x'.repeat(10), 'x'.repeat(5)]);
    expect(wrap(text, Number.POSITIVE_INFINITY)).toEqual([text]);
  });
});
