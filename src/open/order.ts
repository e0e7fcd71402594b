/**
 * --order-by, with rclone's words: `size`, `name` or `modtime`, each with `,ascending` or `,descending`, and
 * `pattern,GLOB,…`. Tests: test/open/order.test.ts
 */
import type { RunOptions } from '../engine/options.js';
import { XsyncError } from '../model/error.js';

type Order = NonNullable<RunOptions['order']>;
type Sorted = Parameters<Order>[0];

const WIDTH = String(Number.MAX_SAFE_INTEGER).length;
const ACCEPTED =
  'size, name or modtime, with ",descending" if the largest, last or newest come first, or pattern,GLOB,…';

/** Texts whose byte order is the order of the objects; undefined for none. @throws usage */
export async function orderOf(text: string | undefined): Promise<Order | undefined> {
  if (text === undefined || text === '') return undefined;
  const [what = '', ...rest] = text.split(',');
  if (what === 'pattern') return byPattern(text, rest);
  const descending = directionOf(text, rest);
  switch (what) {
    case 'size':
      return ({ size }) => digits(size, descending);
    case 'modtime':
      return ({ mtimeMs }) => digits(mtimeMs, descending);
    case 'name':
      return descending ? ({ key }) => backward(key) : () => '';
    default:
      throw refused(text, `is not ${ACCEPTED}`);
  }
}

function directionOf(text: string, [word = 'ascending', ...more]: readonly string[]): boolean {
  if (word === 'mixed') {
    throw refused(text, 'is not needed', 'Leave it out: small and large objects are always copied side by side.');
  }
  if (more.length > 0 || !/^(?:asc|desc)(?:ending)?$/.test(word)) throw refused(text, `is not ${ACCEPTED}`);
  return word.startsWith('desc');
}

/** Of one width, so that their order as text is that of the numbers. */
function digits(value: number, descending: boolean): string {
  const whole = Math.min(Math.max(0, Math.trunc(value)), Number.MAX_SAFE_INTEGER);
  return String(descending ? Number.MAX_SAFE_INTEGER - whole : whole).padStart(WIDTH, '0');
}

/** Sorts in the opposite byte order of the key; what is longer comes before what it starts with. */
function backward(key: string): string {
  const inverted = Buffer.from(key);
  for (const [at, byte] of inverted.entries()) inverted[at] = 255 - byte;
  return `${inverted.toString('hex')}g`;
}

async function byPattern(text: string, globs: readonly string[]): Promise<Order> {
  if (globs.length === 0 || globs.includes('')) throw refused(text, 'has an empty pattern');
  const { compileGlob } = await import('../engine/filter/glob.js');
  const patterns = globs.map((glob) => {
    try {
      return compileGlob(glob, false);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw refused(text, `has a pattern that means nothing: ${error.message}`);
    }
  });
  return ({ key }: Sorted) => {
    const index = patterns.findIndex((pattern) => pattern.test(key));
    return String(index < 0 ? patterns.length : index).padStart(4, '0');
  };
}

function refused(text: string, why: string, remedy?: string): XsyncError {
  return new XsyncError('usage', `--order-by: "${text}" ${why}`, { subject: '--order-by', remedy });
}
