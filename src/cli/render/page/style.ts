/** The style of the page that `serve --web` shows. Colors meet WCAG AA on their backgrounds, in light and in dark. Tests: test/cli/render/page.test.ts */
export const STYLE = `
:root { color-scheme: light dark; --page: #f6f6f3; --card: #fff; --ink: #1b1b19; --soft: #5d5c57; --line: #e0dfd9;
  --accent: #1f61ad; --fill: #1f61ad26; --good: #17703d; --warn: #835400; --bad: #b0201a; --track: #e6e5e0; --press: #eef3f9; }
@media (prefers-color-scheme: dark) { :root { --page: #131312; --card: #1c1c1b; --ink: #ecebe6; --soft: #a6a49d;
  --line: #343330; --accent: #78aef0; --fill: #78aef033; --good: #63cf91; --warn: #e6b85c; --bad: #f5958c; --track: #353431;
  --press: #26303c; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1.25rem 1.5rem 2.5rem; max-width: 104rem; background: var(--page); color: var(--ink);
  font: 15px/1.45 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
a { color: inherit; text-decoration-color: var(--line); text-underline-offset: .2em; }
a:hover { text-decoration-color: currentColor; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; align-items: baseline; margin-bottom: 1rem; }
header .brand { font-weight: 700; letter-spacing: -.01em; text-decoration: none; }
header .end { margin-left: auto; display: flex; gap: 1rem; align-items: baseline; }
header form { display: inline; }
h1 { font-size: 1.6rem; line-height: 1.2; letter-spacing: -.015em; margin: 0; font-weight: 650; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 0 0 .6rem; font-weight: 650; }
p { margin: .25rem 0; overflow-wrap: anywhere; }
.soft { color: var(--soft); }
.small { font-size: .8125rem; }
h1 .idle { color: var(--soft); } h1 .busy { color: var(--accent); }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.sums { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.75rem, 1fr)); gap: 1px; margin: 1rem 0 1.25rem;
  background: var(--card); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.sums div { outline: 1px solid var(--line); padding: .7rem 1rem .75rem; }
.sums dt { font-size: .8125rem; color: var(--soft); }
.sums dd { margin: 0; font-size: 1.3rem; line-height: 1.3; font-weight: 600; letter-spacing: -.01em; }
.sums .below { display: block; font-size: .8125rem; font-weight: 400; color: var(--soft); letter-spacing: 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem; margin-top: 1rem; }
.wide { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.card .wide { border: 0; border-radius: 0; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .65rem .6rem; font-weight: 400; }
tbody tr > * { border-top: 1px solid var(--line); }
thead th { font-size: .8125rem; color: var(--soft); white-space: nowrap; padding: .6rem; }
th:first-child, td:first-child { padding-left: 1rem; } th:last-child, td:last-child { padding-right: 1rem; }
.card th:first-child, .card td:first-child { padding-left: 0; } .card th:last-child, .card td:last-child { padding-right: 0; }
.n { text-align: right; white-space: nowrap; }
.name { min-width: 11rem; max-width: 24rem; overflow-wrap: anywhere; }
td time { white-space: nowrap; }
td .below, td .why { overflow-wrap: break-word; }
.sums dd > data { white-space: nowrap; }
.name b, .name a { font-weight: 650; }
.below { display: block; font-size: .8125rem; color: var(--soft); }
tr.one > th { padding-left: 2.25rem; } tr.one > * { border-top-style: dotted; }
.state { white-space: nowrap; font-weight: 600; }
.state::before { content: ""; display: inline-block; width: .6em; height: .6em; margin-right: .5em; border-radius: 50%;
  background: currentColor; }
.state.bad::before { border-radius: 1px; }
.state.busy { color: var(--accent); } .state.idle { color: var(--soft); }
.state.idle::before { background: none; box-shadow: inset 0 0 0 2px currentColor; }
.state + .why { display: block; min-width: 11rem; max-width: 20rem; font-size: .8125rem; overflow-wrap: anywhere; }
td.why { min-width: 15rem; } td.next { min-width: 11rem; }
.line { display: block; white-space: nowrap; }
meter { display: block; width: 100%; min-width: 5rem; height: .3rem; margin-top: .35rem; appearance: none; border: 0;
  background: var(--track); border-radius: 2px; }
meter::-webkit-meter-inner-element { display: block; }
meter::-webkit-meter-bar { height: .3rem; background: var(--track); border: 0; border-radius: 2px; }
meter::-webkit-meter-optimum-value { background: var(--good); } meter::-webkit-meter-suboptimum-value { background: var(--accent); }
meter::-moz-meter-bar { background: var(--good); } meter:-moz-meter-sub-optimum::-moz-meter-bar { background: var(--accent); }
.lag { display: flex; gap: .5rem; align-items: center; }
.lag > span { min-width: 4.5rem; }
.spark { width: 6.5rem; height: 2rem; display: block; flex: none; }
.spark .base { stroke: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke; }
.spark rect, .chart .p99 { fill: var(--accent); fill-opacity: .38; }
.spark rect.median, .chart .p50 { fill: var(--accent); fill-opacity: 1; }
.chart { display: grid; grid-template-columns: auto 1fr; column-gap: .6rem; font-size: .8125rem; color: var(--soft); }
.chart svg { width: 100%; height: 11rem; display: block; }
.chart .y { display: flex; flex-direction: column; justify-content: space-between; text-align: right; }
.chart .x { grid-column: 2; display: flex; justify-content: space-between; margin-top: .25rem; }
.chart .base { stroke: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke; }
.chart .rpo { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 5 4; vector-effect: non-scaling-stroke; }
.key { font-family: ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; font-size: .84375rem; overflow-wrap: anywhere; }
th .key { display: block; min-width: 15rem; max-height: 7.5em; overflow-y: auto; }
.card td .below { max-width: 34rem; }
button, .button { font: inherit; font-size: .8125rem; font-weight: 600; color: var(--accent); background: var(--card);
  border: 1px solid currentColor; border-radius: 6px; padding: .2rem .65rem; min-height: 1.9rem; cursor: pointer; }
button:hover { background: var(--press); }
button.plain { border: 0; padding: 0; min-height: 0; color: inherit; background: none; font-size: inherit; font-weight: 400;
  text-decoration: underline; text-decoration-color: var(--line); text-underline-offset: .2em; }
td form { margin-top: .35rem; }
.bar { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between; }
.bar h2 { margin: 0; }
.box { max-width: 26rem; margin: 12vh auto 0; }
.box label { display: block; font-weight: 600; margin: .75rem 0 .3rem; }
.box input { width: 100%; font: inherit; padding: .5rem .6rem; color: inherit; background: var(--page);
  border: 1px solid var(--soft); border-radius: 6px; }
.box button { margin-top: 1rem; }
#as-of { margin-top: .6rem; }
#link { white-space: nowrap; }
#link.good::before, #link.bad::before { content: ""; display: inline-block; width: .5em; height: .5em; margin-right: .4em;
  border-radius: 50%; background: currentColor; }
footer { margin-top: 1.25rem; }
@media (prefers-reduced-motion: no-preference) { a, button { transition: background-color .12s, text-decoration-color .12s; } }
@media (min-width: 110rem) { body { font-size: 17px; } }
@media (max-width: 60rem) {
  body { padding: 1rem .75rem 2rem; }
  .wide { overflow: visible; background: none; border: 0; }
  .wide table, .wide tbody, .wide tr, .wide th, .wide td { display: block; width: auto; }
  .wide thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .wide tr { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .7rem 1rem; background: var(--card);
    border: 1px solid var(--line); border-radius: 10px; padding: .9rem 1rem; margin-bottom: .75rem; }
  .wide tr > *, .wide tr.one > th { border: 0; padding: 0 !important; text-align: left; white-space: normal; }
  .wide tr > th, .wide tr > .full { grid-column: 1 / -1; max-width: none; min-width: 0; }
  .wide tr.one { margin-left: 1rem; }
  .wide td[data-label]::before { content: attr(data-label); display: block; font-size: .8125rem; color: var(--soft); }
  .card .wide tr { padding: .75rem 0; margin: 0; border-width: 1px 0 0; border-radius: 0; }
  .state + .why, td.why, td.next, .card td .below { min-width: 0; max-width: none; overflow-wrap: anywhere; }
  .wide td.none { display: none; }
  th .key { min-width: 0; }
  .lag { justify-content: space-between; } .spark { width: 55%; }
  .sums { grid-template-columns: repeat(2, 1fr); }
}
@media print { header .end, form { display: none; } body { background: none; } }
`;
