import { type Html, html } from "../../report/html.js";
import { count, percent, plural } from "../../report/numbers.js";
import { scrollable } from "../../report/scrollable.js";
import { runAddress, studyAddress } from "../address.js";
import type { View } from "../part.js";
import type { WatchedFolder } from "../watched-folder.js";
import type { WatchedRun } from "../watched-run.js";
import type { WatchedStudy } from "../watched-study.js";
import { bar, fractionDone, stateBadge, timeLeft, whereItStands } from "./state.js";

/** The page of all runs and studies. */
export function overview(folder: WatchedFolder): View {
  const { runs, studies, roots, notes } = folder;
  const training = runs.filter(({ listing }) => listing.state === "training").length;
  return {
    title: `${training > 0 ? `(${training}) ` : ""}Runs – Lyceum`,
    parts: [
      {
        name: "head",
        html: html`<p class="kicker">${roots.join(", ")}</p>
<h1>Runs</h1>
<p class="headline">${plural(runs.length, "run")}${training > 0 ? `, ${count(training)} in training` : ""}${studies.length > 0 ? `; ${studies.length === 1 ? "1 study" : `${count(studies.length)} studies`}` : ""}.</p>
${notes.map((note) => html`<p class="warning">${note}</p>`)}`,
      },
      ...(runs.length > 0 ? [{ name: "tools", html: tools }] : []),
      { name: "runs", html: runs.length > 0 ? runTable(runs) : nothing(roots) },
      ...(studies.length > 0 ? [{ name: "studies", html: studyTable(studies) }] : []),
    ],
  };
}

function nothing(roots: readonly string[]): Html {
  return html`<p class="empty">There is no run ${roots.length > 0 ? `in ${roots.join(" and ")} ` : ""}yet. <code>npx lyceum train quickstart</code> begins one,
and it appears here by itself.</p>`;
}

/** They never change, so that what a person types or chooses in them stays. */
const tools = html`<form class="tools" action="/compare">
<label>Filter <input type="search" name="filter" data-filter autocomplete="off" placeholder="name, network, images"></label>
<label>State <select data-state><option value="">all</option>${["training", "finished", "unfinished", "damaged"].map((state) => html`<option>${state}</option>`)}</select></label>
<button type="submit" data-compare disabled>Lay over each other</button></form>`;

const columns = [
  ["run", "run"],
  ["state", "state"],
  ["stands at", "done"],
  ["top-1", "top1"],
  ["ensemble", "ensemble"],
  ["images", "data"],
  ["network", "model"],
  ["begun", "date"],
] as const;

function runTable(runs: readonly WatchedRun[]): Html {
  return html`<figure>${scrollable(
    "Runs",
    html`<table class="runs" data-sortable="runs">
<thead><tr><th><span class="unseen">choose</span></th>${columns.map(
      ([label, key]) =>
        html`<th aria-sort="none"><button type="button" data-sort="${key}">${label}</button></th>`,
    )}</tr></thead>
<tbody>${runs.map(runRow)}</tbody></table>`,
  )}
<figcaption>Top-1 is of the last finished generation on the test images; the ensemble is of all generations up to it. Choose two runs
or more to lay them over each other.</figcaption></figure>`;
}

function runRow(run: WatchedRun): Html {
  const { name, listing } = run;
  const { state, problem, top1, data = "", model = "", date = "", title } = listing;
  const done = fractionDone(run);
  const cell = (key: string, sort: string | number, text: Html | string) =>
    html`<td data-key="${key}" data-value="${sort}">${text}</td>`;
  return html`<tr data-name="${name}" data-state="${state}">
<td><input type="checkbox" data-choose value="${name}" aria-label="choose ${name}"></td>
${cell("run", name, html`<a href="${runAddress(name)}"${title === undefined ? undefined : html` title="${title}"`}>${name}</a>`)}
${cell("state", state, stateBadge(state))}
${cell("done", done.toFixed(4), problem === undefined ? standing(run, done) : html`<span class="problem">${problem}</span>`)}
${cell("top1", sortable(top1?.last), top1 ? percent(top1.last) : "")}
${cell("ensemble", sortable(top1?.ensemble?.top1), top1?.ensemble ? percent(top1.ensemble.top1) : "")}
${cell("data", data, data)}
${cell("model", model, model)}
${cell("date", date, date.slice(0, 16).replace("T", " "))}
</tr>
`;
}

/** A number for the order of rows; what is not known, or no number, comes below all. */
const sortable = (value: number | undefined) => (Number.isFinite(value) ? value! : -1);

function standing(run: WatchedRun, done: number): Html {
  if (run.listing.state === "finished") return html`${whereItStands(run)}`;
  const left = timeLeft(run);
  return html`${bar(done, `${run.name}: done`)}<span class="note">${whereItStands(run)}${left === "" ? "" : `; ${left}`}</span>`;
}

function studyTable(studies: readonly WatchedStudy[]): Html {
  return html`<h2>Studies</h2>
<figure>${scrollable(
    "Studies",
    html`<table><thead><tr><th>study</th><th>arms</th><th>seeds</th><th>networks</th><th>in training</th></tr></thead>
<tbody>${studies.map(({ name, state, problem, training }) => {
      if (!state)
        return html`<tr><td><a href="${studyAddress(name)}">${name}</a></td><td colspan="4" class="problem">${problem ?? "is being read"}</td></tr>\n`;
      const { arms, seeds, trained } = state.result;
      return html`<tr><td><a href="${studyAddress(name)}">${name}</a></td><td>${count(arms.length)}</td><td>${count(seeds.length)}</td>
<td>${bar(trained.done / Math.max(1, trained.of), `${name}: done`)}<span class="note">${count(trained.done)} of ${count(trained.of)}</span></td><td>${count(training.size)}</td></tr>\n`;
    })}</tbody></table>`,
  )}</figure>`;
}
