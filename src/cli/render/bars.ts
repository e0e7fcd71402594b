/**
 * The lines of the progress display, at most `width` columns each. Pure; `display.ts` draws them.
 * Tests: test/cli/render/display.test.ts
 */
import type { ChalkInstance } from 'chalk';
import type { InFlight } from '../../engine/record/pending.js';
import { formatBytes, formatCount, formatPercent, plural } from './format.js';
import { counters, etaText } from './lines.js';
import { keyText } from './printable.js';
import type { Status } from './tally.js';
import { displayWidth, fit, shorten } from './width.js';

export interface BarStyle {
  chalk: ChalkInstance;
  width: number;
}

const FILLED = '█';
const EMPTY = '░';

/** `██████░░░░░░  45%  1.23 GiB / 2.70 GiB  34.1 MiB/s  ETA 41s` */
export function bytesLine(status: Status, style: BarStyle): string {
  const { doneBytes, planned } = status;
  if (status.dryRun) return `Dry run: would copy ${plural(planned.objects, 'object')}, ${formatBytes(planned.bytes)}`;
  const numbers = [
    formatPercent(doneBytes, planned.bytes).padStart(4),
    `${formatBytes(doneBytes)} / ${formatBytes(planned.bytes)}`,
    `${formatBytes(status.bytesPerSecond)}/s`,
    `ETA ${etaText(status)}`,
  ].join('  ');
  return withBar(doneBytes, planned.bytes, numbers, style);
}

/** `1,204 / 9,870 objects, 38/s  skipped 3,400  failed 2  listed 13,270…` */
export function objectsLine(status: Status, style: BarStyle): string {
  const { copied, planned } = status;
  if (status.dryRun) return shorten(counters(status).join('  '), style.width);
  const rate = status.objectsPerSecond >= 0.5 ? `, ${formatCount(status.objectsPerSecond)}/s` : '';
  const text = [`${formatCount(copied.objects)} / ${formatCount(planned.objects)} objects${rate}`, ...counters(status)];
  const line = shorten(text.join('  '), style.width);
  return status.failed > 0 ? line.replace(/failed [\d,]+/, (failed) => style.chalk.red(failed)) : line;
}

const SMALL_BAR = 10;
const SIZES = 23;

/** `  photos/2023/…/img_0001.raw  ██████░░░░  61%  120 MiB / 197 MiB` */
export function objectLine(object: InFlight, { chalk, width }: BarStyle): string {
  const sizes = `${formatBytes(object.bytes)} / ${formatBytes(object.size)}`;
  const numbers = `${formatPercent(object.bytes, object.size).padStart(4)}  ${sizes.padEnd(SIZES)}`;
  const room = width - 2 - 2 - SMALL_BAR - 1 - displayWidth(numbers);
  if (room < 8) return `  ${shorten(keyText(object.key), Math.max(1, width - 2))}`;
  return `  ${fit(keyText(object.key), room)}  ${bar(object.bytes, object.size, SMALL_BAR, chalk)} ${numbers}`;
}

function withBar(done: number, total: number, numbers: string, { chalk, width }: BarStyle): string {
  const room = Math.min(40, width - displayWidth(numbers) - 1);
  return room < 5 ? shorten(numbers.trimStart(), width) : `${bar(done, total, room, chalk)} ${numbers}`;
}

function bar(done: number, total: number, width: number, chalk: ChalkInstance): string {
  const filled = total > 0 ? Math.min(width, Math.floor((done / total) * width)) : 0;
  return chalk.cyan(FILLED.repeat(filled)) + chalk.dim(EMPTY.repeat(width - filled));
}
