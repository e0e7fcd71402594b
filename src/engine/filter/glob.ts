/**
 * rclone's glob patterns (rclone.org/filtering, "Pattern syntax") as regular expressions: `*`, `**`, `?`, `[class]`,
 * `{a,b}`, `{{regexp}}`, `\c`. As in rclone, `[!a]` is no negation (write `[^a]`), whatever its manual says.
 * Tests: test/engine/filter/filter.test.ts
 */
import { compileRegexp, type Pattern } from './regexp.js';

/**
 * Compiles a glob for whole keys. With a leading `/` it is anchored at the root, without one it matches from any `/`
 * on, always up to the end.
 * @throws SyntaxError with a sentence that says what is wrong with the glob.
 */
export function compileGlob(glob: string, ignoreCase: boolean): Pattern {
  const anchored = glob.startsWith('/');
  const body = globBody([...(anchored ? glob.slice(1) : glob)]);
  return compileRegexp(`${anchored ? '^' : '(^|/)'}${body}$`, ignoreCase);
}

/** The glob in Go's regular expression syntax, without anchors. */
function globBody(chars: readonly string[]): string {
  let out = '';
  let depth = 0;
  for (let at = 0; at < chars.length; ) {
    const [length, text, change] = globToken(chars, at, depth);
    out += text;
    depth += change;
    at += length;
  }
  if (depth > 0) throw new SyntaxError('a "{" is not closed; write \\{ for the character itself');
  return out;
}

/** The token at `at`: how many characters it takes, its translation, and how it changes the depth of braces. */
function globToken(chars: readonly string[], at: number, depth: number): [number, string, number] {
  const char = chars[at] ?? '';
  switch (char) {
    case '\\':
      return [2, char + (chars[at + 1] ?? ''), 0];
    case '*':
      return starsToken(chars, at);
    case '?':
      return [1, '[^/]', 0];
    case '[':
      return bracketToken(chars, at);
    case ']':
      throw new SyntaxError('a "]" closes nothing; write \\] for the character itself');
    case '{':
      return chars[at + 1] === '{' ? regexpToken(chars, at) : [1, '(', 1];
    case '}':
      if (depth === 0) throw new SyntaxError('a "}" closes nothing; write \\} for the character itself');
      return [1, ')', -1];
    case ',':
      return [1, depth > 0 ? '|' : ',', 0];
    default:
      return [1, '.+()|^$'.includes(char) ? `\\${char}` : char, 0];
  }
}

function starsToken(chars: readonly string[], at: number): [number, string, number] {
  let length = 1;
  while (chars[at + length] === '*') length++;
  if (length > 2) throw new SyntaxError('three stars mean nothing; * stays within a folder, ** crosses folders');
  return [length, length === 1 ? '[^/]*' : '.*', 0];
}

function bracketToken(chars: readonly string[], at: number): [number, string, number] {
  let open = 0;
  for (let i = at; i < chars.length; i++) {
    if (chars[i] === '\\') i++;
    else if (chars[i] === '[') open++;
    else if (chars[i] === ']' && --open === 0) return [i + 1 - at, chars.slice(at, i + 1).join(''), 0];
  }
  throw new SyntaxError('a "[" is not closed; write \\[ for the character itself');
}

function regexpToken(chars: readonly string[], at: number): [number, string, number] {
  let end = at + 2;
  while (end < chars.length && !(chars[end] === '}' && chars[end + 1] === '}')) end++;
  if (end >= chars.length) throw new SyntaxError('a "{{" is not closed by "}}"');
  // Of several ends the last, so that the expression itself may end in a brace.
  while (chars[end + 2] === '}') end++;
  return [end + 2 - at, `(${chars.slice(at + 2, end).join('')})`, 0];
}

/** A slash or `**` among alternatives, nested alternatives and regular expressions say nothing simple of folders. */
const HIDES_FOLDERS = /\{[^{}]*(?:\*\*|\/)[^{}]*\}|\{\{|\}\}|\{[^{}]*\{/;

/**
 * Globs for the directories (each with a trailing `/`) in which an included glob may match, deepest first. As in
 * rclone only these are entered: `--include a/b` therefore finds `a/b` and never `x/a/b`.
 */
export function globToFolderGlobs(glob: string): string[] {
  if (HIDES_FOLDERS.test(glob)) return ['/**'];
  const folders: string[] = [];
  for (let rest = glob; ; ) {
    const slash = rest.lastIndexOf('/');
    const stars = rest.lastIndexOf('**');
    const cut = Math.max(slash, stars);
    if (cut < 0) return folders.length > 0 ? folders : ['/**'];
    rest = rest.slice(0, cut);
    const folder = `${rest}${stars > slash ? '**' : ''}/`;
    if (folder !== folders.at(-1)) folders.push(folder);
  }
}
