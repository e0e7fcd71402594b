/**
 * What a run leaves out because it holds no data: links that are not followed, named pipes, sockets, devices.
 * Tests: test/e2e/local-names.test.ts
 */
import type { ObjectEntry } from '../../model/object.js';

/** Further ones are counted only. */
const NAMED = 100;

interface Some {
  count: number;
  names: string[];
}

export class LeftOut {
  readonly #links: Some = { count: 0, names: [] };
  readonly #others: Some = { count: 0, names: [] };

  add({ key, special, kind }: ObjectEntry): void {
    const some = special === 'symlink' && kind === undefined ? this.#links : this.#others;
    some.count++;
    if (some.names.length < NAMED) some.names.push(kind === undefined ? key : `${key} (${kind})`);
  }

  /** The person asked for it. */
  ignoreLinks(): void {
    this.#links.count = 0;
  }

  /** Sentences for the person. @param keepable the destination can hold links. @param followable they can be followed */
  messages(keepable: boolean, followable = true): string[] {
    const { count } = this.#links;
    const links = count === 1 ? 'a symbolic link was' : `${count} symbolic links were`;
    const more = keepable ? ', and --links keep the links themselves' : '';
    const remedy = followable ? `; --copy-links copies what links point to${more}` : '';
    return [
      ...(count > 0 ? [`${links} left out: ${namesOf(this.#links)}${remedy}`] : []),
      ...(this.#others.count > 0 ? [`left out, because it is not a regular file: ${namesOf(this.#others)}`] : []),
    ];
  }
}

function namesOf({ count, names }: Some): string {
  const more = count - names.length;
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ');
}
