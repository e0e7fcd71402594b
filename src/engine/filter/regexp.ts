/**
 * Go's regular expressions (RE2 syntax), in which rclone users write `{{regexp}}` filters, matched by RE2JS in time
 * proportional to the key: `**a**a**a**b` makes JavaScript's own matcher take hours over one long key, and keys come
 * from strangers.
 * Tests: test/engine/filter/filter.test.ts
 */
import { RE2JS, RE2JSException, RE2JSSyntaxException } from 're2js';

/** Instructions of a compiled expression. RE2JS itself would allow 70 times as many, in a gigabyte of memory. */
const MAX_SIZE = 20_000;

/** Length times the largest count of a repetition: a bound on the size before memory is spent on compiling. */
const MAX_PRODUCT = 200_000;

const TOO_LARGE = 'the pattern repeats too much';

/** Tests a whole key. A `.` matches every character, line breaks too, unless the expression says `(?-s)`. */
export interface Pattern {
  test(name: string): boolean;
}

/** @throws SyntaxError with a sentence that a person can read. */
export function compileRegexp(source: string, ignoreCase: boolean): Pattern {
  const counts = [...source.matchAll(/\{(?:\d+,)?(\d+),?\}/g)].map(([, count]) => Number(count));
  if (counts.length > 0 && source.length * counts.reduce((a, b) => Math.max(a, b)) > MAX_PRODUCT) {
    throw new SyntaxError(TOO_LARGE);
  }
  try {
    const pattern = RE2JS.compile(source, RE2JS.DOTALL | (ignoreCase ? RE2JS.CASE_INSENSITIVE : 0));
    if (pattern.programSize() > MAX_SIZE) throw new SyntaxError(TOO_LARGE);
    return pattern;
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) throw new SyntaxError(sentence(error, source), { cause: error });
    if (error instanceof RE2JSException) throw new SyntaxError(error.message, { cause: error });
    throw error;
  }
}

/** What RE2JS found, which it says in Go's words. */
function sentence({ error, input }: RE2JSSyntaxException, source: string): string {
  const part = input ?? '';
  switch (error) {
    case 'unexpected )':
      return 'a ")" closes nothing';
    case 'missing closing )':
      return 'a "(" is not closed';
    case 'missing closing ]':
      return 'a "[" is not closed';
    case 'missing argument to repetition operator':
      return `a "${part.slice(0, 1)}" repeats nothing`;
    case 'invalid repeat count':
      return backward(part) ? 'a repetition is the wrong way round' : TOO_LARGE;
    case 'invalid escape sequence':
      return `"${part.slice(0, 2)}" is not supported`;
    case 'invalid character class range':
      if (part.startsWith('[')) return `"${part}" is not a known class`;
      return part.startsWith('\\') ? `"${part}" is no property that is known` : 'a range is the wrong way round';
    case 'invalid or unsupported Perl syntax':
    case 'invalid named capture':
      return perlSyntax(source.slice(source.indexOf(part)));
    case 'expression too large':
      return TOO_LARGE;
    default:
      return part === '' ? error : `${error}: "${part}"`;
  }
}

/** `{2,1}` */
function backward(repetition: string): boolean {
  const [, min, max] = /^\{(\d+),(\d+)\}/.exec(repetition) ?? [];
  return Number(min) > Number(max);
}

/** From `(?` on. */
function perlSyntax(rest: string): string {
  return `"${rest.slice(0, 4)}" is not supported${/^\(\?<?[=!]/.test(rest) ? ': look-around is not part of RE2' : ''}`;
}
