/** Tests: test/engine/filter/filter.test.ts */

/** The start of a text that a message repeats, if it is longer than `most` characters, and how long it is. */
export function excerpt(text: string, most = 100): string {
  return text.length <= most ? text : `${text.slice(0, most)}… (${text.length} characters)`;
}
