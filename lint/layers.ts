/**
 * Checks who imports whom: every import in `src` against the table in `table.ts`, and that no files import each other
 * in a circle. Type imports count as well. Part of `npm run lint`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseSync } from 'oxc-parser';
import { PACKAGES, ROOMS } from './table.js';

/** One file below `src`, its path without `.ts`, with the modules that it names. */
export interface Source {
  path: string;
  specifiers: readonly string[];
}

/** Every module that a file imports, exports from or loads later, types included. */
export function specifiersOf(file: string, text: string): string[] {
  const { module, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const exported = module.staticExports.flatMap(({ entries }) => entries.flatMap((entry) => entry.moduleRequest ?? []));
  const named = [...module.staticImports.map((found) => found.moduleRequest), ...exported].map(({ value }) => value);
  // `import('./x.js')`, as an expression or in a type.
  const later = [...text.matchAll(/\bimport\(\s*(['"`])([^'"`]+)\1/g)].map((match) => match[2] ?? '');
  return [...new Set([...named, ...later])];
}

/** The row of the table that speaks of a file: the longest one that its path starts with. */
function roomOf(path: string, rooms: Readonly<Record<string, string>>): string | undefined {
  return Object.keys(rooms)
    .filter((room) => isIn(path, room))
    .sort((a, b) => b.length - a.length)[0];
}

function rowsIn(row: string | undefined): string[] {
  return row ? row.split(' ') : [];
}

function isIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** What is wrong, one line each; empty when nothing is. */
export function violationsOf(
  sources: readonly Source[],
  rooms: Readonly<Record<string, string>> = ROOMS,
  packages: Readonly<Record<string, string>> = PACKAGES,
): string[] {
  const graph = new Map<string, string[]>();
  const found: string[] = [];
  for (const { path, specifiers } of sources) {
    const own = roomOf(path, rooms);
    const local: string[] = [];
    for (const specifier of specifiers) {
      if (specifier.startsWith('node:')) continue;
      if (specifier.startsWith('.')) {
        const target = normalize(join(dirname(path), specifier)).replace(/\.js$/, '');
        local.push(target);
        const room = roomOf(target, rooms);
        if (own !== undefined && room !== undefined && [own, ...rowsIn(rooms[own])].some((row) => isIn(room, row)))
          continue;
        found.push(`${path} imports ${target}: ${own ?? 'a folder without a row'} may not import ${room ?? target}`);
      } else if (!rowsIn(packages[specifier]).some((owner) => isIn(path, owner))) {
        const owners = rowsIn(packages[specifier]);
        const rule = owners.length > 0 ? `only ${owners.join(', ')} may import it` : 'no folder owns this package';
        found.push(`${path} imports ${specifier}: ${rule}`);
      }
    }
    graph.set(path, local);
  }
  return [...found, ...circlesIn(graph)];
}

/** Each circle of files once, from its first file in the order of the graph. */
function circlesIn(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    const at = trail.indexOf(file);
    if (at >= 0) found.push(`circle: ${[...trail.slice(at), file].join(' -> ')}`);
    if (at >= 0 || done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}

/** Reads every source file below `root`. */
export function readSources(root: string): Source[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({
      path: file.replace(/\.ts$/, ''),
      specifiers: specifiersOf(file, readFileSync(join(root, file), 'utf8')),
    }));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const violations = violationsOf(readSources('src'));
  for (const violation of violations) console.error(violation);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
