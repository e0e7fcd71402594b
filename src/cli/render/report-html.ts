/** Builds HTML. All text is escaped here, and only this file turns text into HTML. Tests: test/cli/pairs.test.ts */
import { printable } from './printable.js';

/** Escaped HTML. */
export class Html {
  constructor(readonly text: string) {}
}

type Part = string | number | Html | readonly Html[];

const ENTITY: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as HTML. Control characters and direction marks are shown as on the terminal (`\x1b`). */
export function escapeHtml(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => ENTITY[character] ?? '');
}

/** Escapes every value in the template except `Html`. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const text = strings.map((piece, index) => piece + partText(parts[index] ?? '')).join('');
  return new Html(text);
}

function partText(part: Part): string {
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(({ text }) => text).join('');
  return escapeHtml(String(part));
}

export const NOTHING = new Html('');

/** A heading and its body; `NOTHING` if the body is empty. */
export function section(title: string, ...body: readonly Html[]): Html {
  if (body.every(({ text }) => text === '')) return NOTHING;
  return html`<section><h2>${title}</h2>${body}</section>`;
}

export interface Column {
  title: string;
  /** Right-aligned, with digits of equal width. */
  number?: true;
}

export function table(columns: readonly Column[], rows: readonly (readonly (string | Html)[])[]): Html {
  if (rows.length === 0) return NOTHING;
  const kind = (column: number): Html => (columns[column]?.number ? html` class="n"` : NOTHING);
  const head = columns.map(({ title }, column) => html`<th${kind(column)}>${title}</th>`);
  const body = rows.map(
    (cells) => html`<tr>${cells.map((cell, column) => html`<td${kind(column)}>${cell}</td>`)}</tr>`,
  );
  return html`<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}

export const STYLE = new Html(`
:root { color-scheme: light dark; --page: #f7f7f5; --card: #fff; --ink: #1c1c1a; --soft: #63625d; --line: #e2e1dc;
  --accent: #2468b8; --fill: #2468b833; --good: #1a7f45; --bad: #b3261e; --warn: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --page: #161615; --card: #201f1e; --ink: #ecebe6; --soft: #a3a19a;
  --line: #3a3936; --accent: #6aa5ec; --fill: #6aa5ec40; --good: #5cc98a; --bad: #f28b82; --warn: #e0b050; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 64rem; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.25rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 0 0 .75rem; }
h3 { font-size: .9rem; margin: 1rem 0 .25rem; }
p { margin: .25rem 0; overflow-wrap: anywhere; }
.soft, th, .axis, .y { color: var(--soft); }
section, .tile { background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
section { padding: 1rem; margin-top: 1rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: .75rem; margin-top: 1rem; }
.tile { padding: .75rem 1rem; }
.tile b { display: block; font-size: 1.2rem; font-weight: 600; white-space: nowrap; }
.tile span { display: block; font-size: .85rem; color: var(--soft); }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th { font-weight: 500; text-align: left; }
th, td { padding: .3rem 1rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td:last-child { min-width: 8rem; overflow-wrap: anywhere; }
tr:last-child td { border-bottom: 0; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.key { font-family: ui-monospace, monospace; font-size: .85rem; overflow-wrap: anywhere; }
td .key { display: inline-block; min-width: 9rem; }
th:last-child, td:last-child { padding-right: 0; }
.bar { width: clamp(4rem, 25vw, 12rem); height: .8rem; display: block; margin-top: .25rem; }
.whole { white-space: nowrap; }
.bar rect, .area { fill: var(--fill); } .bar rect { fill: var(--accent); }
.plot { display: grid; grid-template-columns: auto 1fr; column-gap: .5rem; font-size: .8rem; }
.plot svg { width: 100%; height: 12rem; display: block; }
.y { display: flex; flex-direction: column; justify-content: space-between; text-align: right; }
.axis { grid-column: 2; display: flex; justify-content: space-between; }
.rule { stroke: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke; }
.line { fill: none; stroke: var(--accent); stroke-width: 2; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
`);
