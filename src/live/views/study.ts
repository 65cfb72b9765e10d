import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Html, html } from "../../report/html.js";
import { count, percent, plural } from "../../report/numbers.js";
import { scrollable } from "../../report/scrollable.js";
import type { Figure } from "../../report/study/figure.js";
import { figuresOf } from "../../report/study/figures/index.js";
import { legendList } from "../../report/study/legend.js";
import { pagePalette } from "../../report/study/palette.js";
import { accuracyTable } from "../../report/study/summary-table.js";
import { viewOf } from "../../report/study/view.js";
import { paired, studySentences } from "../../study/index.js";
import { reportAddress } from "../address.js";
import { Memo, type View } from "../part.js";
import type { StudyState, WatchedStudy } from "../watched-study.js";
import { bar } from "./state.js";

const drawn = new WeakMap<WatchedStudy, Memo<Html>>();

/** The page of a study. */
export function studyView(study: WatchedStudy): View {
  const { name, state, problem } = study;
  const memo = drawn.get(study) ?? new Memo<Html>();
  drawn.set(study, memo);
  const watches = [name];
  if (!state) {
    const head = html`<p class="kicker">${study.directory}</p><h1>${name}</h1><p class="warning">${problem ?? "is being read"}</p>`;
    return { title: `${name} – Lyceum`, watches, parts: [{ name: "head", html: head }] };
  }
  const { result } = state;
  const of = JSON.stringify([...state.finished]);
  const figures = () =>
    result.trained.done === 0 ? [] : Object.values(figuresOf(viewOf(result, paired(result)))).flat();
  return {
    title: `${name}: ${result.trained.done} of ${result.trained.of} – Lyceum`,
    watches,
    parts: [
      { name: "head", html: head(study, state) },
      { name: "grid", html: grid(study, state) },
      {
        name: "verdict",
        html: memo.get("verdict", of, () =>
          result.trained.done === 0
            ? html``
            : html`<h2>So far</h2>${studySentences(result).headline.map((sentence) => html`<p>${sentence}</p>`)}
<figure>${accuracyTable(result, viewOf(result, paired(result)).arms)}
<figcaption>Accuracy in percent ± its standard deviation over seeds, of single networks. Ensembles are in the report.</figcaption></figure>`,
        ),
      },
      { name: "figures", html: memo.get("figures", of, () => html`${figures().map(section)}`) },
    ],
  };
}

function section(figure: Figure): Html {
  return html`<h2>${figure.title}</h2>
<figure>${figure.legend.length > 0 ? legendList(figure.legend, pagePalette) : undefined}
${scrollable(figure.title, figure.draw(pagePalette))}
<figcaption>${figure.caption}</figcaption></figure>
`;
}

function head({ name, directory, training, problem }: WatchedStudy, { result }: StudyState): Html {
  const { done, of } = result.trained;
  const pace = [...training.values()].reduce((sum, { imagesPerSecond = 0 }) => sum + imagesPerSecond, 0);
  const pieces = [
    `${count(done)} of ${plural(of, "network")} trained`,
    training.size > 0 ? `${count(training.size)} in training` : "",
    pace > 0 ? `${count(pace)} images/s` : "",
  ].filter((piece) => piece !== "");
  const hasReport = existsSync(join(directory, "report.html"));
  return html`<p class="kicker">${directory}</p>
<h1>${result.title}</h1>
${result.description === "" ? undefined : html`<p>${result.description}</p>`}
${problem === undefined ? undefined : html`<p class="warning">${problem}</p>`}
${bar(done / Math.max(1, of), "done")}
<p class="headline">${pieces.join(" · ")}</p>
${result.notes.map((note) => html`<p class="note">${note}</p>`)}
<p class="links">${hasReport ? html`<a href="${reportAddress("study", name)}">Report</a>` : undefined}</p>`;
}

/** Shows each network: its accuracy where it is trained, how far it is where it is in training, and what is still to be trained. */
function grid({ training }: WatchedStudy, { result, networks, finished }: StudyState): Html {
  const { arms, seeds, part } = result;
  const planned = new Map(
    networks.flatMap((network) =>
      network.arms.map((arm) => [`${arm} ${network.seed} ${network.generation}`, network] as const),
    ),
  );
  const cell = (arm: (typeof arms)[number], seed: number, generation: number): Html | undefined => {
    const network = planned.get(`${arm.name} ${seed} ${generation}`);
    if (!network) return undefined;
    const line = arm.lines.find((each) => each.seed === seed);
    const top1 = line?.networks[generation]?.[part]?.top1;
    const who = `generation ${generation}`;
    if (top1 !== undefined)
      return html`<span class="net done" title="${who}">${(100 * top1).toFixed(1)}</span> `;
    if (finished.has(network.fingerprint)) return html`<span class="net done" title="${who}">done</span> `;
    const now = training.get(network.fingerprint);
    if (now)
      return html`<span class="net now" title="${who}, in training${now.heldOut === undefined ? "" : `; held-out ${percent(now.heldOut)}`}" style="--done:${(100 * now.fraction).toFixed(0)}%">${(100 * now.fraction).toFixed(0)} %</span> `;
    return html`<span class="net open" title="${who}, still to be trained">·</span> `;
  };
  const generations = (arm: (typeof arms)[number]) => Array.from({ length: arm.generations }, (_, i) => i);
  return html`<h2>Networks</h2>
<figure>${scrollable(
    "Networks by arm and seed",
    html`<table class="grid"><thead><tr><th>arm</th>${seeds.map((seed) => html`<th>seed ${seed}</th>`)}</tr></thead>
<tbody>${arms.map(
      (arm) =>
        html`<tr><td class="name">${arm.name}</td>${seeds.map(
          (seed) => html`<td>${generations(arm).map((generation) => cell(arm, seed, generation))}</td>`,
        )}</tr>\n`,
    )}</tbody></table>`,
  )}
<figcaption>Each line from its patriarch on: the accuracy in percent where a network is trained, on the ${
    part === "test" ? "test images, read once, after its last epoch" : "held-out images"
  }; with a bar, how far it is in training; a dot is still to be trained. A network that arms share stands in each.</figcaption></figure>`;
}
