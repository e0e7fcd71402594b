/** Tests: test/engine/fidelity/carry.test.ts */

/** The most names in one message. */
const SHOWN = 5;

/** Names in quotes: `"a", "b" and 3 more`. */
export function nameList(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).map((name) => JSON.stringify(name));
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
