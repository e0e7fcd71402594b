/** The conflicts of a mirror as text and as JSON. Tests: test/cli/render/conflicts.test.ts */
import type { ConflictRow, ConflictSide } from '../../manifest/port.js';
import { formatBytes } from './format.js';
import { keyText, printable } from './printable.js';
import { timeText } from './status.js';

interface Names {
  source: string;
  destination: string;
}

const SIDE = { source: 'a', destination: 'b' } as const;

/** Lines with line ends; none without conflicts. */
export function conflictLines(names: Names, rows: readonly ConflictRow[]): string[] {
  if (rows.length === 0) return [];
  const title = `a: ${printable(names.source)}  b: ${printable(names.destination)}`;
  return [title, ...rows.flatMap(linesOf)].map((line) => `${line}\n`);
}

function linesOf(row: ConflictRow): string[] {
  const { key, foundMs, sides } = row;
  const what = `  a has ${sideText(sides.source)}; b has ${sideText(sides.dest)}`;
  return [`${timeText(foundMs).slice(0, 16)}  ${keyText(key)}: ${endText(row)}`, what];
}

function sideText({ size, mtimeMs }: ConflictSide): string {
  return `${formatBytes(size)} of ${timeText(mtimeMs)}`;
}

/** How it ended. */
function endText({ settledMs, winner, keptAs }: ConflictRow): string {
  if (settledMs === undefined) return 'open';
  if (winner === undefined) return 'settled: both sides were made equal';
  const kept = keptAs === undefined ? 'replaced' : `kept as ${keyText(keptAs)}`;
  const loser = winner === 'source' ? 'destination' : 'source';
  return `settled: ${SIDE[winner]} keeps the name, ${SIDE[loser]}'s object is ${kept}`;
}

/** One line, documented in docs/json.md. */
export function conflictJson({ source, destination }: Names, row: ConflictRow): string {
  const { key, foundMs, seenMs, settledMs, winner, keptAs, sides } = row;
  return JSON.stringify({
    ...{ source, destination, key, state: settledMs === undefined ? 'open' : 'settled' },
    ...{ foundMs, seenMs, settledMs, winner, keptAs },
    sides: { source: sides.source, destination: sides.dest },
  });
}
