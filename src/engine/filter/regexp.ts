/**
 * Parses Go's regular expressions (RE2 syntax), in which rclone users write `{{regexp}}` filters. What RE2 lacks
 * (look-around, back references) is refused, so that a filter means the same to both programs.
 *
 * Names never hold a line break in rclone (it keeps control characters as symbols), so the flags `s`, `m` and `U`
 * make no difference to whether a name matches; `.` matches every character here.
 */

import { complement, type Item, membership, PERL_CLASSES, POSIX_CLASSES, singleOf } from './characters.js';

export type Assertion = 'start' | 'end' | 'word-edge' | 'no-word-edge';

/** A parsed expression. Groups are gone: nothing is captured. */
export type Expression =
  | { kind: 'character'; has: (codePoint: number) => boolean }
  | { kind: 'sequence'; parts: Expression[] }
  | { kind: 'choice'; parts: Expression[] }
  | { kind: 'repeat'; part: Expression; min: number; max: number }
  | { kind: 'assert'; that: Assertion };

/** As in RE2. */
const MAX_REPEAT = 1000;

const ANY: Expression = { kind: 'character', has: () => true };

const CONTROL_ESCAPES: Record<string, number> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** @throws SyntaxError with a sentence that a person can read. */
export function parseGoRegexp(source: string, ignoreCase: boolean): Expression {
  return new GoRegexpReader(source).read(ignoreCase);
}

/** One pass over the source; every method consumes what it names. */
class GoRegexpReader {
  readonly #chars: string[];
  #at = 0;

  constructor(source: string) {
    this.#chars = [...source];
  }

  read(fold: boolean): Expression {
    const found = this.#alternatives(fold);
    if (this.#at < this.#chars.length) throw new SyntaxError('a ")" closes nothing');
    return found;
  }

  #peek(text: string): boolean {
    for (let i = 0; i < text.length; i++) if (this.#chars[this.#at + i] !== text[i]) return false;
    return true;
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

  #ahead(pattern: RegExp): RegExpExecArray | null {
    return pattern.exec(this.#chars.slice(this.#at, this.#at + 32).join(''));
  }

  /** Everything up to the `)` that ends this group, or the end. Flags set inside last until there. */
  #alternatives(outerFold: boolean): Expression {
    let fold = outerFold;
    const choices: Expression[] = [];
    let parts: Expression[] = [];
    while (this.#at < this.#chars.length && !this.#peek(')')) {
      if (this.#take('|')) {
        choices.push({ kind: 'sequence', parts });
        parts = [];
      } else if (this.#take('(')) {
        const flags = this.#groupFlags(fold);
        if (flags.restOfGroup) {
          fold = flags.fold;
          continue;
        }
        const group = this.#alternatives(flags.fold);
        if (!this.#take(')')) throw new SyntaxError('a "(" is not closed');
        parts.push(this.#repeated(group));
      } else {
        parts.push(this.#repeated(this.#atom(fold)));
      }
    }
    return { kind: 'choice', parts: [...choices, { kind: 'sequence', parts }] };
  }

  /** After `(`: its name or flags. `restOfGroup` for `(?i)`, which holds no expression of its own. */
  #groupFlags(fold: boolean): { fold: boolean; restOfGroup: boolean } {
    if (!this.#take('?')) return { fold, restOfGroup: false };
    const name = this.#ahead(/^P?<\w+>/);
    if (name) {
      this.#at += name[0].length;
      return { fold, restOfGroup: false };
    }
    const flags = this.#ahead(/^([imsU]*)(?:-([imsU]+))?([:)])/);
    if (!flags) {
      const shown = this.#ahead(/^.{0,2}/)?.[0];
      throw new SyntaxError(`"(?${shown}" is not supported: look-around is not part of RE2`);
    }
    this.#at += flags[0].length;
    const on = flags[1]?.includes('i') || (fold && !flags[2]?.includes('i'));
    return { fold: on === true, restOfGroup: flags[3] === ')' };
  }

  #repeated(part: Expression): Expression {
    const bounds = this.#peek('{') ? this.#ahead(/^\{(\d+)(?:(,)(\d*))?\}/) : null;
    const sign = ['*', '+', '?'].find((char) => this.#peek(char));
    if (!bounds && sign === undefined) return part;
    this.#at += bounds ? bounds[0].length : 1;
    // Laziness changes what is captured, never whether there is a match.
    this.#take('?');
    const min = bounds ? Number(bounds[1]) : sign === '+' ? 1 : 0;
    const open = bounds ? bounds[2] !== undefined && bounds[3] === '' : sign !== '?';
    const max = open ? Number.POSITIVE_INFINITY : bounds ? Number(bounds[3] ?? min) : 1;
    if (min > MAX_REPEAT || (!open && max > MAX_REPEAT)) throw new SyntaxError(`more than ${MAX_REPEAT} repetitions`);
    if (max < min) throw new SyntaxError('a repetition is the wrong way round');
    return { kind: 'repeat', part, min, max };
  }

  #atom(fold: boolean): Expression {
    const char = this.#next('');
    if (char === '[') return this.#bracket(fold);
    if (char === '\\') return this.#escape(fold);
    if (char === '.') return ANY;
    if (char === '^') return { kind: 'assert', that: 'start' };
    if (char === '$') return { kind: 'assert', that: 'end' };
    if ('*+?'.includes(char)) throw new SyntaxError(`a "${char}" repeats nothing`);
    return literal(char, fold);
  }

  #escape(fold: boolean): Expression {
    if (this.#take('Q')) return this.#quotation(fold);
    if (this.#take('A')) return { kind: 'assert', that: 'start' };
    if (this.#take('z')) return { kind: 'assert', that: 'end' };
    if (this.#take('b')) return { kind: 'assert', that: 'word-edge' };
    if (this.#take('B')) return { kind: 'assert', that: 'no-word-edge' };
    return { kind: 'character', has: membership([this.#escapedItem()], false, fold) };
  }

  /** `\Q…\E`: everything in it stands for itself. */
  #quotation(fold: boolean): Expression {
    const parts: Expression[] = [];
    while (this.#at < this.#chars.length && !this.#take('\\E')) parts.push(literal(this.#next(''), fold));
    return { kind: 'sequence', parts };
  }

  /** After `\`, alone or in brackets. */
  #escapedItem(): Item {
    const char = this.#next('it ends in a single "\\"');
    const perl = PERL_CLASSES[char.toLowerCase()];
    if (perl) return char === char.toLowerCase() ? perl : complement(perl);
    if (char === 'p' || char === 'P') return this.#property(char);
    const code = this.#escapedCodePoint(char);
    return [[code, code]];
  }

  #escapedCodePoint(char: string): number {
    const control = CONTROL_ESCAPES[char];
    if (control !== undefined) return control;
    const hex = char === 'x' ? this.#ahead(/^(?:\{([0-9a-f]+)\}|([0-9a-f]{2}))/i) : null;
    if (hex) {
      this.#at += hex[0].length;
      return Number.parseInt(hex[1] ?? hex[2] ?? '', 16);
    }
    this.#at--;
    const octal = this.#ahead(/^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/)?.[0];
    this.#at += octal?.length ?? 1;
    if (octal !== undefined) return Number.parseInt(octal, 8);
    if (/[0-9a-z]/i.test(char)) throw new SyntaxError(`"\\${char}" is not supported`);
    return char.codePointAt(0) ?? 0;
  }

  /** `\pL`, `\p{Greek}`, `\p{^Greek}`; Go names scripts and categories alike. */
  #property(sign: string): RegExp {
    const name = this.#ahead(/^(?:\{(\^?)(\w+)\}|([A-Z]))/);
    if (!name) throw new SyntaxError(`"\\${sign}" lacks the name of a property`);
    this.#at += name[0].length;
    const plain = name[2] ?? name[3] ?? '';
    const negated = (name[1] === '^') !== (sign === 'P');
    try {
      return new RegExp(
        `\\${negated ? 'P' : 'p'}{${plain.length > 2 && plain !== 'Any' ? `Script=${plain}` : plain}}`,
        'u',
      );
    } catch {
      throw new SyntaxError(`"\\${sign}${name[0]}" is no property that is known`);
    }
  }

  #bracket(fold: boolean): Expression {
    const negated = this.#take('^');
    const items: Item[] = [this.#bracketItem()];
    while (!this.#take(']')) items.push(this.#bracketItem());
    return { kind: 'character', has: membership(items, negated, fold) };
  }

  #bracketItem(): Item {
    const posix = this.#ahead(/^\[:(\^?)(\w+):\]/);
    if (posix) {
      const named = POSIX_CLASSES[posix[2] ?? ''];
      if (!named) throw new SyntaxError(`"${posix[0]}" is not a known class`);
      this.#at += posix[0].length;
      return posix[1] === '^' ? complement(named) : named;
    }
    const low = this.#bracketChar();
    const from = singleOf(low);
    if (from === undefined || !this.#peek('-') || this.#chars[this.#at + 1] === ']') return low;
    this.#take('-');
    const to = singleOf(this.#bracketChar());
    if (to === undefined || to < from) throw new SyntaxError('a range is the wrong way round');
    return [[from, to]];
  }

  #bracketChar(): Item {
    const char = this.#next('a "[" is not closed');
    if (char === '\\') return this.#escapedItem();
    const code = char.codePointAt(0) ?? 0;
    return [[code, code]];
  }
}

function literal(char: string, fold: boolean): Expression {
  const code = char.codePointAt(0) ?? 0;
  if (!fold) return { kind: 'character', has: (other) => other === code };
  return { kind: 'character', has: membership([[[code, code]]], false, true) };
}
