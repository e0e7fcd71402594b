/** What an import says line by line. Tests: test/rules/import.test.ts */
import { type Tree, textAt } from './tree.js';

/** What became of one thing that the configuration says, or leaves to the vendor's default. */
export interface ImportNote {
  /** Where it is: `Filter.And.Prefix`. */
  at: string;
  /** `default`: nothing is there, and the vendor does this. */
  verdict: 'maps' | 'partly' | 'left out' | 'default';
  text: string;
}

export class Notes {
  readonly list: ImportNote[] = [];

  add(at: string, verdict: ImportNote['verdict'], text: string): void {
    this.list.push({ at, verdict, text });
  }
}

/** `Status: Enabled` or `enabled`. */
export function isOn(tree: Tree): boolean {
  return textAt(tree, 'Status')?.toLowerCase() === 'enabled';
}

/** What nothing has been said of. */
export function unknownKeys(rule: Tree, keys: readonly string[], notes: Notes): void {
  for (const key of Object.keys(rule)) if (!keys.includes(key)) notes.add(key, 'left out', 'it is not known');
}
