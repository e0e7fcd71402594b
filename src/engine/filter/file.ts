/**
 * The contents of the files behind --include-from, --filter-from, --files-from and their like.
 * Tests: test/engine/filter/filter.test.ts
 */

export interface FilterLine {
  text: string;
  /** 1-based. */
  line: number;
}

export interface FilterFile {
  /** As the person named it, for messages. */
  name: string;
  lines: FilterLine[];
}

/** Reads rules or names, one a line: surrounding blanks, empty lines and lines that start with `#` or `;` are no part. */
export function parseFilterFile(text: string, name: string): FilterFile {
  const lines = splitLines(text)
    .map(({ text: raw, line }) => ({ text: raw.trim(), line }))
    .filter(({ text: trimmed }) => trimmed !== '' && !/^[#;]/.test(trimmed));
  return { name, lines };
}

/** Reads --files-from-raw: every line that is not empty is a key, verbatim. */
export function parseRawKeyFile(text: string, name: string): FilterFile {
  return { name, lines: splitLines(text).filter((line) => line.text !== '') };
}

function splitLines(text: string): FilterLine[] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line, index) => ({ text: line, line: index + 1 }));
}
