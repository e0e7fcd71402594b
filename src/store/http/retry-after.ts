/** The wait that a response asks for. https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 */

/** How dates start in HTTP: `Sun, 06 Nov`, `Sunday, 06-Nov`, `Sun Nov  6`. `Date.parse` reads a date in any text. */
const DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /;

/**
 * Milliseconds; undefined if `Retry-After` is absent or is neither seconds nor a date. A date counts from the response's
 * own `Date`, because the clock here may be wrong.
 * @param headers with lower-case names
 */
export function retryAfterMs(headers: Record<string, string>, nowMs = Date.now()): number | undefined {
  const value = headers['retry-after']?.trim() ?? '';
  if (/^\d+(?:\.\d+)?$/.test(value)) return Number(value) * 1000;
  const dateMs = DATE.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(dateMs)) return undefined;
  const sentMs = Date.parse(headers.date ?? '');
  return Math.max(0, dateMs - (Number.isNaN(sentMs) ? nowMs : sentMs));
}
