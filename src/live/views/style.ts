import { studyStyle } from "../../report/study/study-style.js";

/** The style sheet of the live pages: that of the reports, and what only these show. */
export const watchStyle = `${studyStyle}
:root { --go: #1a7f4b; --halt: #8a5a00; --wrong: #b3261e; --accent: #1f6aa5; }
@media (prefers-color-scheme: dark) { :root { --go: #5cc792; --halt: #e0b050; --wrong: #ff8a80; --accent: #62a8e3; } }
a { color: var(--accent); }
.top {
  position: sticky; top: 0; z-index: 1; display: flex; gap: 1rem; align-items: baseline; justify-content: space-between;
  padding: .55rem max(1.5rem, calc(50vw - 34.5rem)); background: var(--card); border-bottom: 1px solid var(--line);
}
.top .home { font-weight: 700; color: var(--ink); text-decoration: none; }
.top .state { font-size: .84rem; color: var(--soft); }
.top .state.lost { color: var(--wrong); font-weight: 600; }
main { max-width: 72rem; padding-top: 1.6rem; }
main section:empty { display: none; }
h1 .badge { font-size: .9rem; vertical-align: .3rem; margin-left: .5rem; }
code { font: .88em ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.links a { margin-right: 1rem; }
.badge { display: inline-flex; align-items: center; gap: .4rem; font-weight: 600; white-space: nowrap; }
.badge i { width: .6rem; height: .6rem; border: 2px solid currentColor; border-radius: 50%; }
.badge.training { color: var(--go); } .badge.training i { background: currentColor; }
.badge.finished { color: var(--ink); } .badge.finished i { border-radius: 0; background: currentColor; }
.badge.unfinished { color: var(--halt); }
.badge.damaged { color: var(--wrong); } .badge.damaged i { border-radius: 0; }
.problem { color: var(--wrong); white-space: normal; text-align: left; }
.meter { height: .5rem; border-radius: .25rem; background: var(--track); overflow: hidden; margin: .35rem 0; min-width: 7rem; }
.meter i { display: block; height: 100%; background: var(--g1); }
.tools { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: center; margin: 1rem 0 0; font-size: .9rem; }
.tools label { color: var(--soft); }
.tools input, .tools select, .tools button {
  font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--soft); border-radius: 6px; padding: .25rem .5rem;
}
.tools button { cursor: pointer; } .tools button:disabled { color: var(--soft); border-color: var(--line); cursor: default; }
th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; text-align: inherit; }
th[aria-sort="ascending"] button::after { content: " ↑"; } th[aria-sort="descending"] button::after { content: " ↓"; }
:focus-visible { outline: 3px solid var(--g1); outline-offset: 2px; border-radius: 3px; }
table.runs td { vertical-align: top; } table.runs td:nth-child(2) a { overflow-wrap: anywhere; white-space: normal; }
table.runs th:nth-child(-n+4), table.runs td:nth-child(-n+4) { text-align: left; }
table.runs td[data-key="done"] { white-space: normal; min-width: 13rem; }
td .note { font-size: .82rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.scroll:has(> table) { position: relative; }
table.grid td { white-space: nowrap; }
.net { display: inline-block; min-width: 2.7rem; padding: .05rem .25rem; margin: .1rem 0; border-radius: 4px; text-align: center; font-size: .8rem; border: 1px solid transparent; }
.net.done { background: var(--track); }
.net.now { border-color: var(--g1); background: linear-gradient(to right, color-mix(in srgb, var(--g1) 30%, transparent) var(--done), transparent var(--done)); }
.net.open { border: 1px dashed var(--line); color: var(--soft); }
.pair > * { min-width: 0; }
.pair .scroll svg { min-width: 0; width: 100%; max-width: 32rem; }
.now .facts { margin: .6rem 0; align-self: center; font-size: 1.05rem; font-variant-numeric: tabular-nums; }
.pair figure { margin-top: .8rem; }
@media (max-width: 34rem) { .top { padding: .55rem 1rem; } main { padding-top: 1rem; } }
@media (prefers-reduced-motion: no-preference) { .meter i { transition: width .6s; } }
`;
