/**
 * Go's regular expressions (RE2 syntax), in which rclone users write `{{regexp}}` filters, as JavaScript ones. What
 * RE2 lacks (look-around, back references) is refused, so that a filter means the same to both programs.
 *
 * Names never hold a line break in rclone (it keeps control characters as symbols), so the flags `s`, `m` and `U`
 * make no difference to whether a name matches; `.` matches every character here.
 */

type Range = readonly [first: number, last: number];

const LAST_CODE_POINT = 0x10ffff;

/** Beyond this many code points a range is taken to hold both cases of its letters already. */
const FOLD_LIMIT = 0x400;

const PERL_CLASSES: Record<string, readonly Range[]> = {
  d: ranges('09'),
  w: ranges('09', 'AZ', '__', 'az'),
  s: ranges('\t\n', '\f\r', '  '),
};

const POSIX_CLASSES: Record<string, readonly Range[]> = {
  alnum: ranges('09', 'AZ', 'az'),
  alpha: ranges('AZ', 'az'),
  ascii: ranges('\0\x7f'),
  blank: ranges('\t\t', '  '),
  cntrl: ranges('\0\x1f', '\x7f\x7f'),
  digit: ranges('09'),
  graph: ranges('!~'),
  lower: ranges('az'),
  print: ranges(' ~'),
  punct: ranges('!/', ':@', '[`', '{~'),
  space: ranges('\t\r', '  '),
  upper: ranges('AZ'),
  word: ranges('09', 'AZ', '__', 'az'),
  xdigit: ranges('09', 'AF', 'af'),
};

const CONTROL_ESCAPES: Record<string, number> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

function ranges(...pairs: string[]): Range[] {
  return pairs.map((pair) => [pair.charCodeAt(0), pair.charCodeAt(1)]);
}

/**
 * Compiles a Go regular expression.
 * @throws SyntaxError with a sentence that a person can read.
 */
export function compileGoRegexp(source: string, ignoreCase: boolean): RegExp {
  const body = new GoRegexpReader(source).read();
  return new RegExp(body, ignoreCase ? 'ius' : 'us');
}

/** One pass over the source; every method consumes what it names and returns its JavaScript spelling. */
class GoRegexpReader {
  readonly #chars: string[];
  #at = 0;

  constructor(source: string) {
    this.#chars = [...source];
  }

  read(): string {
    const out = this.#alternatives(false);
    if (this.#at < this.#chars.length) throw new SyntaxError('a ")" closes nothing');
    return out;
  }

  #peek(text: string): boolean {
    return [...text].every((char, i) => this.#chars[this.#at + i] === char);
  }

  #take(text: string): boolean {
    if (!this.#peek(text)) return false;
    this.#at += text.length;
    return true;
  }

  #next(unfinished: string): string {
    const char = this.#chars[this.#at++];
    if (char === undefined) throw new SyntaxError(unfinished);
    return char;
  }

  /** Everything up to the `)` that ends this group, or the end. Flags set inside last until there. */
  #alternatives(outerFold: boolean): string {
    let fold = outerFold;
    let out = '';
    while (this.#at < this.#chars.length && !this.#peek(')')) {
      if (this.#take('(')) {
        const flags = this.#groupFlags(fold);
        if (flags.restOfGroup) {
          fold = flags.fold;
          continue;
        }
        out += `(?:${this.#alternatives(flags.fold)})`;
        if (!this.#take(')')) throw new SyntaxError('a "(" is not closed');
      } else {
        out += this.#atom(fold);
      }
      out += this.#repetition();
    }
    return out;
  }

  /** After `(`: its name or flags. `restOfGroup` for `(?i)`, which holds no expression of its own. */
  #groupFlags(fold: boolean): { fold: boolean; restOfGroup: boolean } {
    if (!this.#take('?')) return { fold, restOfGroup: false };
    const rest = this.#chars.slice(this.#at).join('');
    const name = /^P?<\w+>/.exec(rest);
    if (name) {
      this.#at += name[0].length;
      return { fold, restOfGroup: false };
    }
    const flags = /^([imsU]*)(?:-([imsU]+))?([:)])/.exec(rest);
    if (!flags) throw new SyntaxError(`"(?${rest.slice(0, 2)}" is not supported: look-around is not part of RE2`);
    this.#at += flags[0].length;
    const on = flags[1]?.includes('i') || (fold && !flags[2]?.includes('i'));
    return { fold: on === true, restOfGroup: flags[3] === ')' };
  }

  #repetition(): string {
    const bounds = /^\{\d+(,\d*)?\}/.exec(this.#chars.slice(this.#at, this.#at + 12).join(''))?.[0];
    const operator = ['*', '+', '?'].find((char) => this.#peek(char)) ?? bounds ?? '';
    this.#at += operator.length;
    // Laziness changes what is captured, never whether there is a match.
    if (operator !== '') this.#take('?');
    return operator;
  }

  #atom(fold: boolean): string {
    const char = this.#next('');
    if (char === '[') return this.#bracket(fold);
    if (char === '\\') return this.#escape(fold);
    if ('^$.|*+?'.includes(char)) return char;
    return literal(char, fold);
  }

  #escape(fold: boolean): string {
    const quoted = this.#take('Q');
    if (quoted) return this.#quotation(fold);
    if (this.#take('A')) return '^';
    if (this.#take('z')) return '$';
    if (this.#peek('b') || this.#peek('B')) return `\\${this.#next('')}`;
    const item = this.#escapedItem();
    return typeof item === 'string' ? item : bracketOf(item, [], false, fold);
  }

  /** `\Q…\E`: everything in it stands for itself. */
  #quotation(fold: boolean): string {
    let out = '';
    while (this.#at < this.#chars.length && !this.#take('\\E')) out += literal(this.#next(''), fold);
    return out;
  }

  /** After `\`, alone or in brackets: a character or class as ranges, or a Unicode property as text. */
  #escapedItem(): Range[] | string {
    const char = this.#next('it ends in a single "\\"');
    const perl = PERL_CLASSES[char.toLowerCase()];
    if (perl) return char === char.toLowerCase() ? [...perl] : complement(perl);
    if (char === 'p' || char === 'P') return this.#property(char);
    const code = this.#escapedCodePoint(char);
    return [[code, code]];
  }

  #escapedCodePoint(char: string): number {
    const control = CONTROL_ESCAPES[char];
    if (control !== undefined) return control;
    const rest = this.#chars.slice(this.#at, this.#at + 12).join('');
    const hex = char === 'x' ? /^(?:\{([0-9a-f]+)\}|([0-9a-f]{2}))/i.exec(rest) : null;
    if (hex) {
      this.#at += hex[0].length;
      return Number.parseInt(hex[1] ?? hex[2] ?? '', 16);
    }
    const octal = /^(0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(char + rest);
    if (octal) {
      this.#at += octal[0].length - 1;
      return Number.parseInt(octal[0], 8);
    }
    if (/[0-9a-z]/i.test(char)) throw new SyntaxError(`"\\${char}" is not supported`);
    return char.codePointAt(0) ?? 0;
  }

  /** `\pL`, `\p{Greek}`, `\p{^Greek}`; Go names scripts and categories alike. */
  #property(sign: string): string {
    let name = this.#next('"\\p" lacks its name');
    if (name === '{') {
      name = '';
      for (let char = this.#next('"\\p{" is not closed'); char !== '}'; char = this.#next('"\\p{" is not closed')) {
        name += char;
      }
    }
    const negated = name.startsWith('^') !== (sign === 'P');
    const plain = name.replace('^', '');
    return `\\${negated ? 'P' : 'p'}{${plain.length > 2 && plain !== 'Any' ? `Script=${plain}` : plain}}`;
  }

  #bracket(fold: boolean): string {
    const negated = this.#take('^');
    const found: Range[] = [];
    const properties: string[] = [];
    for (let first = true; first || !this.#take(']'); first = false) {
      const item = this.#bracketItem();
      if (typeof item === 'string') properties.push(item);
      else found.push(...item);
    }
    return bracketOf(found, properties, negated, fold);
  }

  #bracketItem(): Range[] | string {
    const posix = /^\[:(\^?)(\w+):\]/.exec(this.#chars.slice(this.#at, this.#at + 14).join(''));
    if (posix) {
      const named = POSIX_CLASSES[posix[2] ?? ''];
      if (!named) throw new SyntaxError(`"${posix[0]}" is not a known class`);
      this.#at += posix[0].length;
      return posix[1] === '^' ? complement(named) : [...named];
    }
    const low = this.#bracketChar();
    if (typeof low === 'string' || low.length !== 1 || low[0]?.[0] !== low[0]?.[1]) return low;
    if (!this.#peek('-') || this.#chars[this.#at + 1] === ']') return low;
    this.#take('-');
    const high = this.#bracketChar();
    const from = low[0]?.[0] ?? 0;
    const to = typeof high === 'string' ? -1 : (high[0]?.[1] ?? -1);
    if (typeof high === 'string' || high.length !== 1 || to < from)
      throw new SyntaxError('a range is the wrong way round');
    return [[from, to]];
  }

  #bracketChar(): Range[] | string {
    const char = this.#next('a "[" is not closed');
    if (char === '\\') return this.#escapedItem();
    const code = char.codePointAt(0) ?? 0;
    return [[code, code]];
  }
}

function complement(of: readonly Range[]): Range[] {
  const gaps: Range[] = [];
  let from = 0;
  for (const [first, last] of [...of].sort((a, b) => a[0] - b[0])) {
    if (first > from) gaps.push([from, first - 1]);
    from = Math.max(from, last + 1);
  }
  if (from <= LAST_CODE_POINT) gaps.push([from, LAST_CODE_POINT]);
  return gaps;
}

function bracketOf(found: readonly Range[], properties: readonly string[], negated: boolean, fold: boolean): string {
  const all = fold ? [...found, ...found.flatMap(otherCases)] : found;
  const items = all.map(([first, last]) => (first === last ? hex(first) : `${hex(first)}-${hex(last)}`));
  return `[${negated ? '^' : ''}${items.join('')}${properties.join('')}]`;
}

/** A character as itself, in any case when `fold`. */
function literal(char: string, fold: boolean): string {
  const code = char.codePointAt(0) ?? 0;
  if (fold && otherCases([code, code]).length > 0) return bracketOf([[code, code]], [], false, true);
  return char.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
}

/** Letters that fold onto an ASCII letter besides its two cases: the long s and the Kelvin sign. */
const THIRD_CASE: Record<string, string> = { s: '\u017f', k: '\u212a' };

function otherCases([first, last]: Range): Range[] {
  const found: Range[] = [];
  if (last - first > FOLD_LIMIT) return found;
  for (let code = first; code <= last; code++) {
    const char = String.fromCodePoint(code);
    for (const other of [char.toLowerCase(), char.toUpperCase(), ...(THIRD_CASE[char.toLowerCase()] ?? [])]) {
      const point = other.codePointAt(0) ?? 0;
      if (other !== char && String.fromCodePoint(point) === other) found.push([point, point]);
    }
  }
  return found;
}

function hex(code: number): string {
  return `\\u{${code.toString(16)}}`;
}
