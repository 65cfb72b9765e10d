import { colourOf } from "../../report/charts.js";
import { type Html, html } from "../../report/html.js";
import { duration, percent } from "../../report/numbers.js";
import { scrollable } from "../../report/scrollable.js";
import { differingKeys } from "../../runs/index.js";
import { runAddress } from "../address.js";
import { accuracyOfRuns, type ComparedRun, curvesOfRuns } from "../charts.js";
import { Memo, type View } from "../part.js";
import type { RunDetails, WatchedRun } from "../watched-run.js";
import { epochTable } from "./epoch-table.js";
import { stateBadge } from "./state.js";

/** The most runs that are laid over each other: there are as many colours. */
export const MOST_COMPARED = 8;

const drawn = new Memo<Html>();

/** The page of some runs, laid over each other. */
export async function compareView(runs: readonly WatchedRun[], missing: readonly string[]): Promise<View> {
  const compared: (ComparedRun & { run: WatchedRun; details: RunDetails | undefined })[] = [];
  for (const [i, run] of runs.entries()) {
    const details = await run.details().catch(() => undefined);
    compared.push({
      ...{ run, details, name: run.name, colour: colourOf(i) },
      results: details?.summary?.generations ?? [],
      records: (await run.log()).records,
    });
  }
  const of = compared
    .map(
      ({ name, records, results }) => `${name} ${records.length} ${records.at(-1)?.date} ${results.length}`,
    )
    .join("\n");
  const generations = [
    ...new Set(compared.flatMap(({ records }) => records.map(({ generation }) => generation))),
  ]
    .sort((a, b) => a - b)
    .slice(0, 12);
  const legend = html`<ul class="legend">${compared.map(
    ({ name, colour }) => html`<li><i style="background:${colour}"></i>${name}</li>`,
  )}</ul>`;
  const head = html`<p class="kicker">${compared.length} runs</p><h1>Laid over each other</h1>
${missing.length > 0 ? html`<p class="warning">There is no run ${missing.join(", ")} here.</p>` : undefined}
${runs.length < 2 ? html`<p class="empty">Choose two runs or more on <a href="/">the list of runs</a>.</p>` : undefined}`;
  return {
    title: `${runs.map(({ shortName }) => shortName).join(", ")} – Lyceum`,
    watches: [...runs.map(({ name }) => name), ...missing],
    parts: [
      { name: "head", html: head },
      { name: "table", html: compared.length > 0 ? resultTable(compared) : html`` },
      {
        name: "generations",
        html: drawn.get("generations", of, () =>
          compared.some(({ results }) => results.length > 0)
            ? html`<h2>Accuracy by generation</h2><figure>${legend}
${scrollable("Accuracy by generation", accuracyOfRuns(compared))}
<figcaption>On the test images, read once a generation, after its last epoch. Single runs: how much another seed would change them,
they cannot say; <code>npx lyceum compare</code> compares over seeds.</figcaption></figure>`
            : html``,
        ),
      },
      {
        name: "epochs",
        html: drawn.get("epochs", of, () =>
          generations.length > 0
            ? html`<h2>Accuracy by epoch</h2><figure>${legend}<div class="pair">${generations.map(
                (generation) =>
                  html`<div><h3>${generation === 0 ? "patriarch" : `student ${generation}`}</h3>${scrollable(
                    `Accuracy by epoch, generation ${generation}`,
                    curvesOfRuns(compared, generation),
                  )}</div>`,
              )}</div><figcaption>Right among the augmented training images; dashed: among the held-out images.</figcaption></figure>
${compared.map(({ records, name }) => (records.length > 0 ? epochTable(records, name) : undefined))}`
            : html``,
        ),
      },
      { name: "recipes", html: differences(compared) },
    ],
  };
}

function resultTable(
  compared: readonly (ComparedRun & { run: WatchedRun; details: RunDetails | undefined })[],
): Html {
  return html`<figure>${scrollable(
    "Results",
    html`<table><thead><tr><th>run</th><th>state</th><th>patriarch</th><th>last student</th><th>ensemble</th><th>time</th></tr></thead>
<tbody>${compared.map(({ run, colour, results, details }) => {
      const first = results[0]?.test.top1;
      const last = results.length > 1 ? results.at(-1)!.test.top1 : undefined;
      const together = run.listing.top1?.ensemble?.top1;
      const shown = (top1: number | undefined) => (top1 === undefined ? "" : percent(top1));
      return html`<tr><td><i class="swatch" style="background:${colour}"></i><a href="${runAddress(run.name)}">${run.name}</a></td><td>${stateBadge(run.listing.state)}</td>
<td>${shown(first)}</td><td>${shown(last)}</td><td>${shown(together)}</td><td>${details?.summary ? duration(details.summary.seconds) : ""}</td></tr>\n`;
    })}</tbody></table>`,
  )}</figure>`;
}

/** Shows in which keys the recipes differ. */
function differences(compared: readonly { name: string; details: RunDetails | undefined }[]): Html {
  const known = compared.flatMap(({ name, details }) =>
    details ? [{ name, recipe: details.run.recipe }] : [],
  );
  const [first, ...others] = known;
  if (!first || others.length === 0) return html``;
  const keys = [...new Set(others.flatMap(({ recipe }) => differingKeys(first.recipe, recipe)))];
  if (keys.length === 0) return html`<h2>What differs</h2><p>Nothing: the recipes are the same.</p>`;
  const value = (recipe: object, key: string) => {
    const found = key
      .split(".")
      .reduce<unknown>((inner, part) => (inner as Record<string, unknown>)?.[part], recipe);
    const text = found === undefined ? "–" : typeof found === "string" ? found : JSON.stringify(found);
    return text.length > 160 ? `${text.slice(0, 160)}…` : text;
  };
  return html`<h2>What differs</h2>
<figure>${scrollable(
    "Keys in which the recipes differ",
    html`<table class="methods"><thead><tr><th>key</th>${known.map(({ name }) => html`<th>${name}</th>`)}</tr></thead>
<tbody>${keys.map(
      (key) =>
        html`<tr><td>${key}</td>${known.map(({ recipe }) => html`<td>${value(recipe, key)}</td>`)}</tr>\n`,
    )}</tbody></table>`,
  )}<figcaption>Keys of the recipes.</figcaption></figure>`;
}
