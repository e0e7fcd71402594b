/** Named keys that stores and their protocols are known to trip over. */

const long = (bytes: number) => `${'d'.repeat(199)}/`.repeat(Math.floor(bytes / 200)).padEnd(bytes, 'k');

export const KEYS = {
  plain: 'plain.txt',
  'in a folder': 'a/b/c.txt',
  'two-byte characters': 'é-ß-ñ.txt',
  'three-byte characters': '漢字/～仮名.txt',
  'four-byte characters': '😀/𐍈.txt',
  'not normalised (NFD)': 'e\u0301.txt',
  'invisible characters': '\ufeffbom\u200bzero\u202eright-to-left',
  spaces: ' leading, inner  and trailing ',
  'URL metacharacters': '+ % & ? # = ; : @ ! $ , [ ]',
  'percent escapes': '%41%2F%2f%00%zz',
  quotes: '"double" \'single\' `back`',
  backslash: 'a\\b',
  'leading backslash': '\\a',
  markup: '<Key>&amp;]]></Key>',
  newline: 'line\nbreak\r\nand\ttab',
  'control characters': 'bell\u0007escape\u001bdelete\u007f',
  NUL: 'a\u0000b',
  'leading slash': '/a',
  'double slash': 'a//b',
  'dot segments': 'a/../b/./c',
  'parent only': '..',
  'trailing dots': 'name...',
  'dot file': '.hidden/.file',
  'folder marker': 'folder/',
  '1,000 bytes': long(1000),
  '1,000 bytes in one segment': 'k'.repeat(1000),
  '255 bytes in one segment': 'é'.repeat(127).padEnd(128, 'k'),
  '1,024 bytes': long(1024),
  '1,025 bytes': long(1025),
  'reserved on disk': '.xsync/tmp/a',
} as const satisfies Record<string, string>;

export type KeyName = keyof typeof KEYS;

/** No store holds these. */
export const IMPOSSIBLE_KEYS: Record<string, string> = {
  empty: '',
  'a lone surrogate': 'broken \ud83d key',
};

/** In UTF-8 byte order; no key is a folder of another, so that a directory tree can hold all of them. */
export const ORDERED_KEYS: readonly string[] = [
  ' ',
  'A',
  'a b',
  'a!/z',
  'a-b',
  'a.txt',
  'a/1',
  'a/1-2',
  'a/1.txt',
  'a/b/c',
  'a/b0',
  'a0',
  'a0b/x',
  'b',
  'z',
  'é',
  '～',
  '😀',
  '😀～/x',
];
