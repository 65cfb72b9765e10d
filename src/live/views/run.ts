import { existsSync } from "node:fs";
import { join } from "node:path";
import { describeMethods } from "../../generations/index.js";
import { quoted } from "../../quoted.js";
import { accuracyChart, rankChart } from "../../report/charts.js";
import { factsOf } from "../../report/facts.js";
import { type Html, html } from "../../report/html.js";
import { count, fixed, nameOf, percent } from "../../report/numbers.js";
import { scrollable } from "../../report/scrollable.js";
import { definitions } from "../../report/sections/definitions.js";
import { environmentFacts } from "../../report/sections/environment.js";
import { generationLegend } from "../../report/sections/generation-legend.js";
import { knowledgeFigure, reliabilitySection, resultFigure } from "../../report/sections/results.js";
import { curveSection, lossSection, termInWords } from "../../report/sections/training.js";
import {
  type EpochRecord,
  type Imports,
  type LiveProgress,
  libraryOf,
  type Summary,
} from "../../runs/index.js";
import { imagesAddress, reportAddress } from "../address.js";
import { epochChart, rankByEpochChart, stepChart } from "../charts.js";
import { Memo, type Part, type View } from "../part.js";
import type { RunDetails, WatchedRun } from "../watched-run.js";
import { epochTable } from "./epoch-table.js";
import { bar, fractionDone, stateBadge, timeLeft, whereItStands } from "./state.js";

/** The parts of each run that take long to draw. */
const drawn = new WeakMap<WatchedRun, Memo<Html>>();

/** The page of one run. */
export async function runView(run: WatchedRun, imports: Imports): Promise<View> {
  const memo = drawn.get(run) ?? new Memo<Html>();
  drawn.set(run, memo);
  const log = await run.log();
  const { records, stride } = log;
  const details = await run.details().catch((error: Error) => error.message);
  const parts: Part[] = [{ name: "head", html: head(run, details) }];
  const summary = typeof details === "string" ? undefined : details.summary;
  const finished = summary?.generations ?? [];
  const add = (name: string, of: string, make: () => Html | undefined) =>
    parts.push({ name, html: memo.get(name, of, () => make() ?? html``) });
  const results = JSON.stringify(summary ?? null);
  const grown = `${records.length} ${records.at(-1)?.date} ${stride}`;
  const { progress } = run;
  if (progress && progress.curve.length > 0) add("epoch", progress.date, () => epochNow(progress));
  add("curves", grown, () => curves(records, stride));
  add("results", results, () => (summary && finished.length > 0 ? resultParts(summary) : undefined));
  add("ranks", `${results} ${grown}`, () => ranks(summary, records));
  add("losses", grown, () => (records.length > 0 ? html`<h2>Loss</h2>${lossSection(records)}` : undefined));
  add("pace", grown, () => (records.length > 0 ? pace(records) : undefined));
  if (typeof details !== "string") {
    const { run: folder, environment } = details;
    const of = JSON.stringify([folder.recipe, finished.length, environment]);
    add("facts", of, () => facts(details, imports));
  }
  return { title: `${run.shortName}: ${run.listing.state} – Lyceum`, parts, watches: [run.name] };
}

function head(run: WatchedRun, details: RunDetails | string): Html {
  const { name, listing, progress, directory } = run;
  const { state, problem, title, top1 } = listing;
  const left = timeLeft(run);
  const finished = listing.generations?.finished ?? 0;
  const hasReport = existsSync(join(directory, "report.html"));
  const pieces = [
    whereItStands(run),
    left,
    progress ? `${count(progress.imagesPerSecond)} images/s` : "",
    top1
      ? `test accuracy of ${finished > 1 ? `student ${finished - 1}` : "the patriarch"} ${percent(top1.last)}${top1.ensemble ? `, together ${percent(top1.ensemble.top1)}` : ""}`
      : "",
  ].filter((piece) => piece !== "");
  return html`<p class="kicker">${directory}</p>
<h1>${title ?? name} ${stateBadge(state)}</h1>
${problem === undefined ? undefined : html`<p class="warning">${problem}</p>`}
${typeof details === "string" && problem === undefined ? html`<p class="warning">${details}</p>` : undefined}
${bar(fractionDone(run), "done")}
<p class="headline">${pieces.join(" · ")}</p>
${progress ? machine(progress) : undefined}
${state === "unfinished" ? html`<p class="note">Nobody is at work on it. To go on: <code>npx lyceum train --resume ${quoted(directory)}</code></p>` : undefined}
<p class="links"><a href="${imagesAddress(name)}">Images</a>${hasReport ? html` <a href="${reportAddress("run", name)}">Report</a>` : undefined}</p>`;
}

/** The epoch under way: its loss by step, and the numbers as they are now. */
function epochNow(progress: LiveProgress): Html {
  const { curve, stepsPerEpoch: steps, generation, loss, terms, top1, imagesPerSecond } = progress;
  const chart = stepChart(curve, { steps, generation });
  return html`<h2>This epoch</h2>
<figure><div class="pair now"><div>${scrollable("Loss within this epoch", chart)}</div>
${definitions([
  ["loss", fixed(loss)],
  ...Object.entries(terms)
    .slice(0, 8)
    .map(([name, value]): [string, string] => [termInWords(name), fixed(value)]),
  ["right", percent(top1, 1)],
  ["images/s", count(imagesPerSecond)],
])}</div>
<figcaption>Of the augmented training images.</figcaption></figure>`;
}

const machine = ({ machine: { host, load, cores, residentGiB } }: LiveProgress) =>
  html`<p class="note">On ${host}: load ${fixed(load, 1)} on ${count(cores)} cores; the training holds ${fixed(residentGiB, 1)} GiB of memory.</p>`;

function resultParts(summary: Summary): Html {
  const { generations, ensembles } = summary;
  return html`<h2>Accuracy by generation</h2>
<figure>${generationLegend(generations, Object.keys(ensembles).length > 0)}
${scrollable("Accuracy by generation", accuracyChart(generations, ensembles, undefined))}
<figcaption>On the test images, read once a generation, after its last epoch. The axis does not start at 0. A diamond is the ensemble
of all generations up to that one: the mean of their scores.</figcaption></figure>
${resultFigure(summary)}
${knowledgeFigure(summary)}
${reliabilitySection(generations)}`;
}

function curves(records: readonly EpochRecord[], stride: number): Html {
  if (records.length === 0)
    return html`<p class="empty">No epoch is done yet: curves appear with the first one.</p>`;
  return html`<h2>Accuracy by epoch</h2>
${curveSection(records)}
${stride > 1 ? html`<p class="note">Every ${count(stride)}th epoch is drawn.</p>` : undefined}
${epochTable(records)}`;
}

function ranks(summary: Summary | undefined, records: readonly EpochRecord[]): Html | undefined {
  const finished = summary?.generations ?? [];
  const known = records.filter(({ validation }) => validation?.scoreByRank);
  const generations = [...new Set(known.map(({ generation }) => generation))];
  const byGeneration = generations.map((generation): [number, EpochRecord[]] => [
    generation,
    known.filter((record) => record.generation === generation),
  ]);
  if (finished.length === 0 && known.length === 0) return undefined;
  return html`<h2>How tolerant each generation is</h2>
${
  finished.length > 0
    ? html`<figure>${generationLegend(finished, false)}
${scrollable("Mean score by rank", rankChart(finished))}
<figcaption>On the test images: the mean score of the best class, of the second best, and so on. A strict network falls off steeply; a
tolerant one leaves some score to a few classes beside the best.</figcaption></figure>`
    : undefined
}
${
  known.length > 0
    ? html`<figure><div class="small">${byGeneration.map(
        ([generation, of]) =>
          html`<div><h3>${nameOf(generation, of[0]!.role)}</h3>${rankByEpochChart(of)}</div>`,
      )}</div>
<figcaption>As it changes: the mean scores of the five best classes on the held-out images, by epoch.</figcaption></figure>`
    : undefined
}`;
}

function pace(records: readonly EpochRecord[]): Html {
  return html`<h2>Learning rate and pace</h2>
<div class="pair"><figure>${scrollable("Learning rate by epoch", epochChart(records, { label: "learning rate", value: ({ learningRate }) => learningRate }))}</figure>
<figure>${scrollable("Images a second by epoch", epochChart(records, { label: "images/s", value: ({ imagesPerSecond }) => imagesPerSecond }))}</figure></div>`;
}

function facts({ run: { recipe }, environment, summary }: RunDetails, imports: Imports): Html {
  let lines: readonly (readonly [string, string])[] = [];
  try {
    lines = describeMethods({ recipe, library: libraryOf(imports) });
  } catch {
    // A method that only the code which made the run defines has no words here.
  }
  return html`<h2>What it trains</h2>
${definitions(factsOf(recipe, summary?.generations ?? [], lines))}
${environment && html`<h2>Made with</h2>${environmentFacts(environment, summary?.seconds)}`}`;
}
