/** Counts of objects and bytes. Tests: test/engine/record/facts.test.ts */
export interface Sum {
  objects: number;
  bytes: number;
}

export function nothing(): Sum {
  return { objects: 0, bytes: 0 };
}

export function add(sum: Sum, size: number): void {
  sum.objects++;
  sum.bytes += size;
}

export function plus(...sums: Sum[]): Sum {
  const total = nothing();
  for (const { objects, bytes } of sums) {
    total.objects += objects;
    total.bytes += bytes;
  }
  return total;
}

/** Never below zero. */
export function minus(a: Sum, b: Sum): Sum {
  return { objects: Math.max(0, a.objects - b.objects), bytes: Math.max(0, a.bytes - b.bytes) };
}

export function increase<K extends string>(counts: Partial<Record<K, number>>, name: K): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
