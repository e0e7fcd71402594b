/**
 * Matches expressions in time proportional to the name, whatever the pattern: `**a**a**a**b` makes a backtracking
 * matcher (JavaScript's own) take hours over one long key, and keys come from strangers. A Thompson automaton whose
 * state sets are remembered, so that in the long run a character costs one table lookup.
 */
import type { Assertion, Expression } from './regexp.js';

type Node =
  | { kind: 'character'; has: (codePoint: number) => boolean; to: number }
  | { kind: 'assert'; that: Assertion; to: number }
  | { kind: 'split'; to: number[] }
  | { kind: 'accept' };

/** A set of nodes reached, before what needs no character has been followed: that may depend on the next character. */
interface State {
  nodes: readonly number[];
  /** Nothing was read yet. */
  start: boolean;
  /** The last character was one of `\w`. */
  afterWord: boolean;
  /** By ASCII character, which keys mostly are, and by any other code point. */
  nextAscii: (State | undefined)[];
  next: Map<number, State>;
  accepts?: boolean;
}

/** Expressions beyond this are refused; nested repetitions multiply. */
const MAX_NODES = 20_000;

/** Transitions to remember before starting afresh. */
const MAX_CACHED = 10_000;

const ANY: Expression = { kind: 'character', has: () => true };
const ANYTHING: Expression = { kind: 'repeat', part: ANY, min: 0, max: Number.POSITIVE_INFINITY };

export class Automaton {
  readonly #nodes: Node[] = [];
  readonly #entry: number;
  #states = new Map<string, State>();
  #cached = 0;
  #initial: State;

  /** @throws SyntaxError when the expression is too large. */
  constructor(expression: Expression) {
    const accept = this.#add({ kind: 'accept' });
    this.#entry = this.#build({ kind: 'sequence', parts: [ANYTHING, expression, ANYTHING] }, accept);
    this.#initial = this.#state([this.#entry], true, false);
  }

  /** True when the expression matches anywhere in the text. */
  test(text: string): boolean {
    let state = this.#initial;
    for (let i = 0; i < text.length; i++) {
      const code = text.codePointAt(i) ?? 0;
      if (code > 0xffff) i++;
      state = (code < 128 ? state.nextAscii[code] : state.next.get(code)) ?? this.#step(state, code);
    }
    state.accepts ??= this.#follow(state, undefined).some((id) => this.#nodes[id]?.kind === 'accept');
    return state.accepts;
  }

  #add(node: Node): number {
    if (this.#nodes.length >= MAX_NODES) throw new SyntaxError('the pattern repeats too much');
    return this.#nodes.push(node) - 1;
  }

  /** Adds the nodes for an expression that goes on at `to`; returns where it starts. */
  #build(expression: Expression, to: number): number {
    switch (expression.kind) {
      case 'character':
        return this.#add({ kind: 'character', has: expression.has, to });
      case 'assert':
        return this.#add({ kind: 'assert', that: expression.that, to });
      case 'sequence':
        return expression.parts.reduceRight((next, part) => this.#build(part, next), to);
      case 'choice':
        return this.#add({ kind: 'split', to: expression.parts.map((part) => this.#build(part, to)) });
      case 'repeat':
        return this.#buildRepeat(expression, to);
    }
  }

  #buildRepeat({ part, min, max }: { part: Expression; min: number; max: number }, to: number): number {
    let at = to;
    if (max === Number.POSITIVE_INFINITY) {
      const loop: number[] = [to];
      at = this.#add({ kind: 'split', to: loop });
      loop.push(this.#build(part, at));
    } else {
      for (let i = min; i < max; i++) at = this.#add({ kind: 'split', to: [this.#build(part, at), to] });
    }
    for (let i = 0; i < min; i++) at = this.#build(part, at);
    return at;
  }

  #step(from: State, code: number): State {
    const reached = new Set<number>();
    for (const id of this.#follow(from, code)) {
      const node = this.#nodes[id];
      if (node?.kind === 'character' && node.has(code)) reached.add(node.to);
    }
    if (++this.#cached > MAX_CACHED) {
      this.#cached = 0;
      this.#states = new Map();
      this.#initial = this.#state([this.#entry], true, false);
    }
    const next = this.#state(
      [...reached].sort((a, b) => a - b),
      false,
      isWord(code),
    );
    if (code < 128) from.nextAscii[code] = next;
    else from.next.set(code, next);
    return next;
  }

  #state(nodes: readonly number[], start: boolean, afterWord: boolean): State {
    const name = `${start}${afterWord}${nodes.join()}`;
    const known = this.#states.get(name);
    if (known) return known;
    const state: State = { nodes, start, afterWord, nextAscii: [], next: new Map() };
    this.#states.set(name, state);
    return state;
  }

  /** All nodes that can be reached before `next` is read; undefined is the end of the text. */
  #follow(state: State, next: number | undefined): number[] {
    const edge = state.afterWord !== (next !== undefined && isWord(next));
    const holds: Record<Assertion, boolean> = {
      start: state.start,
      end: next === undefined,
      'word-edge': edge,
      'no-word-edge': !edge,
    };
    const found = new Set(state.nodes);
    // A set grows while it is walked.
    for (const id of found) {
      const node = this.#nodes[id];
      if (node?.kind === 'split') for (const to of node.to) found.add(to);
      else if (node?.kind === 'assert' && holds[node.that]) found.add(node.to);
    }
    return [...found];
  }
}

function isWord(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122);
}
