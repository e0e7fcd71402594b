/** Tests: test/engine/fidelity/carry.test.ts */
import type { AttributeName, AttributeNote, Fidelity } from '../../model/attributes.js';

/** Collects what becomes of one object's attributes; costs an ordinary object nothing. */
export class Report {
  #result: { kept: AttributeName[]; mapped: AttributeNote[]; lost: AttributeNote[] } | undefined;

  /** Undefined: nothing to tell. */
  get result(): Fidelity | undefined {
    return this.#result;
  }

  /** Lost for each of the reasons, or kept if there is none. */
  settle(attribute: AttributeName, ...reasons: readonly (string | undefined)[]): void {
    const given = reasons.filter((reason) => reason !== undefined);
    for (const reason of given) this.lose(attribute, reason);
    if (given.length === 0) this.keep(attribute);
  }

  keep(attribute: AttributeName): void {
    this.#open().kept.push(attribute);
  }

  map(attribute: AttributeName, reason: string): void {
    this.#open().mapped.push({ attribute, reason });
  }

  lose(attribute: AttributeName, reason: string): void {
    this.#open().lost.push({ attribute, reason });
  }

  #open() {
    this.#result ??= { kept: [], mapped: [], lost: [] };
    return this.#result;
  }
}
