/**
 * What rules do to each other: chains (one reads what another writes), loops, and key spaces that two of them write.
 * Pure: it sees places and prefixes only, so what patterns exclude counts as copied.
 * Tests: test/rules/graph.test.ts
 */

/** Every key that begins with `path` in one bucket, or on one disk. */
export interface Space {
  /** Equal for all names of a bucket. */
  home: string;
  /** Empty: the whole bucket. */
  path: string;
}

/** One direction of a pair. */
export interface Arc {
  rule: string;
  /** Names the pair: both directions of a mirror have the same one. */
  pair: string;
  from: Space;
  to: Space;
  /** Relative to `from`; at least one, which may be empty. */
  prefixes: readonly string[];
  /** As people wrote the places. */
  text: { from: string; to: string };
}

/** An arc of another pair. */
type Step = Arc;

export type Finding =
  /** What the first arc writes comes back to it. */
  | { type: 'loop'; arcs: readonly Step[] }
  /** The second arc reads what the first one writes. */
  | { type: 'chain'; arcs: readonly [Step, Step] }
  /** Both write these keys. */
  | { type: 'overlap'; arcs: readonly [Step, Step] }
  /** Both are the same pair, which has one manifest. */
  | { type: 'twins'; arcs: readonly [Step, Step] };

/** States that a search keeps of one arc: a loop that shifts keys ever deeper ends there. */
const MOST_SPACES = 8;

/** All findings, loops first. */
export function findingsOf(arcs: readonly Arc[]): Finding[] {
  const graph = new Graph(arcs);
  const loops = graph.loops();
  const looping = new Set(loops.flatMap((loop) => loop.arcs.map(({ rule }) => rule)));
  const chains = graph.chains().filter(({ arcs: [a, b] }) => !(looping.has(a.rule) && looping.has(b.rule)));
  return [...loops, ...graph.twinsAndOverlaps(), ...chains];
}

class Graph {
  readonly #arcs: readonly Arc[];
  readonly #readers = new Map<string, Arc[]>();

  constructor(arcs: readonly Arc[]) {
    this.#arcs = arcs;
    for (const arc of arcs) this.#readers.set(arc.from.home, [...(this.#readers.get(arc.from.home) ?? []), arc]);
  }

  loops(): Extract<Finding, { type: 'loop' }>[] {
    const found = new Map<string, Extract<Finding, { type: 'loop' }>>();
    for (const start of this.#arcs) {
      const way = this.#wayBack(start);
      if (!way) continue;
      const id = [...new Set(way.map(({ pair }) => pair))].sort().join('\n');
      if (!found.has(id)) found.set(id, { type: 'loop', arcs: way });
    }
    return [...found.values()];
  }

  /** The shortest way from what `start` writes to what it reads. */
  #wayBack(start: Arc): Arc[] | undefined {
    const seen = new Map<Arc, Space[]>();
    let edge: { arc: Arc; space: Space; way: readonly Arc[] }[] = writesOf(start).map((space) => {
      return { arc: start, space, way: [start] };
    });
    while (edge.length > 0) {
      const next: typeof edge = [];
      for (const { arc, space, way } of edge) {
        for (const reader of this.#after(arc)) {
          const out = through(reader, space);
          if (out.length > 0 && reader === start) return [...way];
          for (const written of out) {
            const known = seen.get(reader) ?? [];
            if (known.length >= MOST_SPACES || known.some(({ path }) => written.path.startsWith(path))) continue;
            seen.set(reader, [...known, written]);
            next.push({ arc: reader, space: written, way: [...way, reader] });
          }
        }
      }
      edge = next;
    }
    return undefined;
  }

  /** Arcs that may read what this one writes. What a mirror has written does not come back by itself. */
  #after({ to, from, pair }: Arc): Arc[] {
    const readers = this.#readers.get(to.home) ?? [];
    return readers.filter(
      (reader) => reader.pair !== pair || (reader.from.home === from.home && reader.from.path === from.path),
    );
  }

  /** One of two rules, whatever the number of their destinations. */
  chains(): Extract<Finding, { type: 'chain' }>[] {
    const all = this.#arcs.flatMap((arc) =>
      this.#after(arc)
        .filter(
          (reader) => reader.pair !== arc.pair && writesOf(arc).some((space) => through(reader, space).length > 0),
        )
        .map((reader) => ({ type: 'chain' as const, arcs: [arc, reader] as const })),
    );
    return [...new Map(all.map((chain) => [chain.arcs.map(({ rule }) => rule).join('\n'), chain])).values()];
  }

  twinsAndOverlaps(): Finding[] {
    const found = new Map<string, Finding>();
    for (const [index, a] of this.#arcs.entries()) {
      for (const b of this.#arcs.slice(index + 1)) {
        if (a.pair === b.pair || a.to.home !== b.to.home) continue;
        const id = `${a.pair}\n${b.pair}`;
        if (found.has(id)) continue;
        if (isSame(a.from, b.from) && isSame(a.to, b.to)) found.set(id, { type: 'twins', arcs: [a, b] });
        else if (writesOf(a).some((one) => writesOf(b).some((other) => meet(one, other)))) {
          found.set(id, { type: 'overlap', arcs: [a, b] });
        }
      }
    }
    return [...found.values()];
  }
}

function isSame(a: Space, b: Space): boolean {
  return a.home === b.home && a.path === b.path;
}

function writesOf({ to, prefixes }: Arc): Space[] {
  return prefixes.map((prefix) => ({ home: to.home, path: to.path + prefix }));
}

/** The keys in both. */
function meet(a: Space, b: Space): Space | undefined {
  if (a.home !== b.home) return undefined;
  if (a.path.startsWith(b.path)) return a;
  return b.path.startsWith(a.path) ? b : undefined;
}

/** Where the arc writes what it reads of a space. */
function through({ from, to, prefixes }: Arc, space: Space): Space[] {
  return prefixes.flatMap((prefix) => {
    const read = meet({ home: from.home, path: from.path + prefix }, space);
    return read ? [{ home: to.home, path: to.path + read.path.slice(from.path.length) }] : [];
  });
}
