/**
 * The style sheet of the page, for light and dark screens and for paper. It needs no fonts or files from
 * elsewhere.
 */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --card: #ffffff; --ink: #1d2430; --soft: #5c6675; --line: #e3e0da; --track: #eceae5; --shade: #00000033;
  --ensemble: #8b5a9f;
  --g0: #d9772b; --g1: #2f79b9; --g2: #1f9d7a; --g3: #7a63c9; --g4: #c2467f; --g5: #7d8b2a; --g6: #4f6d8f; --g7: #a8682f;
  --t0: #2f79b9; --t1: #d9772b; --t2: #1f9d7a; --t3: #7a63c9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171c; --card: #1c2128; --ink: #e6e8ec; --soft: #9aa4b2; --line: #2e353f; --track: #2a3039; --shade: #000000aa;
    --ensemble: #c49ad6;
    --g0: #f0964f; --g1: #62a8e3; --g2: #47c7a2; --g3: #a595f0; --g4: #ea7cae; --g5: #b5c455; --g6: #8eaed3; --g7: #d9a066;
    --t0: #62a8e3; --t1: #f0964f; --t2: #47c7a2; --t3: #a595f0;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .3rem; letter-spacing: -.005em; }
p { margin: .4rem 0; max-width: 46rem; }
.kicker { color: var(--soft); font-size: .85rem; margin: 0 0 .4rem; }
.headline { font-size: 1.15rem; margin-top: 1rem; }
.note, figcaption, .facts dt, .empty { color: var(--soft); font-size: .88rem; }
.warning { border-left: 4px solid var(--g0); padding-left: .8rem; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; margin: 1.2rem 0 0; font-size: .92rem; }
.facts dd { margin: 0; overflow-wrap: anywhere; }
figure {
  margin: .8rem 0 0; padding: 1rem 1.1rem .8rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 10px;
}
figure svg { display: block; margin: 0 auto; max-width: 100%; height: auto; }
figcaption { margin-top: .5rem; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; list-style: none; margin: 0 0 .5rem; padding: 0; font-size: .86rem; }
.legend i { display: inline-block; width: .8rem; height: .8rem; border-radius: 50%; margin-right: .4rem; vertical-align: -.08rem; }
.legend i.stroke { height: 0; width: 1.3rem; border-radius: 0; border-top: 3px solid; vertical-align: .22rem; }
.legend i.dashed { height: 0; width: 1.3rem; border-radius: 0; border-top: 3px dashed; vertical-align: .22rem; }
.small { display: grid; grid-template-columns: repeat(auto-fill, minmax(16.5rem, 1fr)); gap: .6rem 1rem; }
.small h3, .example h3 { font-size: .9rem; font-weight: 600; margin: 0 0 .2rem; }
.scroll {
  overflow-x: auto;
  /* A shadow at an edge behind which there is more: covers move along with the content, shadows stay. */
  background: linear-gradient(to right, var(--card) 40%, transparent) left / 3rem 100% no-repeat local,
    linear-gradient(to left, var(--card) 40%, transparent) right / 3rem 100% no-repeat local,
    linear-gradient(to right, var(--shade), transparent) left / 1rem 100% no-repeat scroll,
    linear-gradient(to left, var(--shade), transparent) right / 1rem 100% no-repeat scroll;
}
.scroll:focus-visible { outline: 3px solid var(--g1); outline-offset: 2px; border-radius: 4px; }
.scroll svg { min-width: 34rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 0 1rem; align-items: start; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .42rem .5rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); font-size: .82rem; white-space: normal; vertical-align: bottom; line-height: 1.25; }
th:last-child, td:last-child { padding-right: 0; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
tbody tr:last-child td { border-bottom: 0; }
.examples { display: grid; grid-template-columns: repeat(auto-fill, minmax(27rem, 1fr)); gap: .9rem; margin-top: .8rem; }
.example {
  display: grid; grid-template-columns: 5.6rem 1fr; gap: .3rem 1rem; align-items: start; padding: .9rem 1rem;
  background: var(--card); border: 1px solid var(--line); border-radius: 10px; break-inside: avoid;
}
.example img { width: 5.6rem; height: auto; image-rendering: pixelated; border-radius: 6px; border: 1px solid var(--line); }
.example .truth { font-size: .86rem; margin-top: .3rem; line-height: 1.3; overflow-wrap: anywhere; }
.example .truth small { display: block; color: var(--soft); font-size: .74rem; }
.predictions { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1.1rem; min-width: 0; }
.predictions > div { min-width: 0; }
.predictions h3 span { font-weight: 400; color: var(--soft); }
.row { display: grid; grid-template-columns: 1fr 2.3rem; column-gap: .4rem; font-size: .76rem; line-height: 1.35; margin-bottom: .22rem; }
.row .name { overflow-wrap: anywhere; color: var(--soft); }
.row .value { text-align: right; font-variant-numeric: tabular-nums; color: var(--soft); }
.row.label .name { color: var(--ink); font-weight: 600; }
.row .bar { grid-column: 1 / -1; height: 5px; border-radius: 3px; background: var(--track); overflow: hidden; }
.row .bar i { display: block; height: 100%; border-radius: 3px; opacity: .45; }
.row.label .bar i { opacity: 1; }
details { margin-top: .8rem; } summary { cursor: pointer; color: var(--soft); font-size: .9rem; }
pre {
  background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem; overflow-x: auto;
  font: .82rem/1.5 ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace;
}
@media (max-width: 34rem) { .examples, .predictions, .pair { grid-template-columns: minmax(0, 1fr); } main { padding: 1.5rem 1rem 3rem; } }
@media print {
  :root { color-scheme: light; --paper: #fff; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  figure, tr { break-inside: avoid; } h2 { break-after: avoid; } details { display: none; }
}
`;
