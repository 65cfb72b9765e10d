import { countsProcessor, type StudyResult, secondsOf } from "../../study/index.js";
import { type Html, html } from "../html.js";
import { duration, plural } from "../numbers.js";

/** How a study was made, as far as its results do not say it themselves. */
export interface Provenance {
  /** The machines that trained, in words. */
  machines?: readonly string[];
  /** The commands that made the study. */
  commands?: readonly string[];
  /** The versions of the software, in words. */
  software?: readonly string[];
  /** The text of the study's file. */
  file?: string | undefined;
}

/** Shows what a study was made with. */
export function madeWith(
  study: StudyResult,
  { machines = [], commands = [], software = [], file }: Provenance,
): Html {
  const networks = new Map(
    study.arms.flatMap(({ lines }) =>
      lines.flatMap((line) =>
        line.networks.flatMap((network) => (network ? [[network.fingerprint, network] as const] : [])),
      ),
    ),
  );
  const trained = [...networks.values()];
  const seconds = trained.reduce((sum, network) => sum + secondsOf(network), 0);
  const facts: [string, readonly string[]][] = [
    ["machine", machines],
    ["software", software],
    ["kernels", counted(trained.map(({ kernels }) => kernels))],
    ["trained", trainingDates(study)],
    [
      "time",
      trained.length > 0
        ? [
            `${duration(seconds)} of ${countsProcessor(study) ? "processor time" : "training"} for ${plural(trained.length, "network")}`,
          ]
        : [],
    ],
  ];
  return html`<dl class="facts">${facts
    .filter(([, lines]) => lines.length > 0)
    .map(
      ([name, lines]) =>
        html`<dt>${name}</dt><dd>${lines.map((line, i) => html`${i > 0 ? html`<br>` : undefined}${line}`)}</dd>\n`,
    )}</dl>
${commands.length > 0 ? html`<pre>${commands.map((command) => `$ ${command}`).join("\n")}</pre>` : undefined}
${file === undefined ? undefined : html`<details><summary>The study's file</summary><pre>${file}</pre></details>`}`;
}

/** Says on which days networks were trained, "2026-11-28 to 2026-11-30"; an empty list where none is. */
export function trainingDates({ arms }: Pick<StudyResult, "arms">): string[] {
  const networks = arms.flatMap(({ lines }) => lines.flatMap((line) => line.networks));
  const days = networks.flatMap((network) => (network ? network.date.slice(0, 10) : [])).sort();
  return days.length > 0 ? [[...new Set([days[0], days.at(-1)])].join(" to ")] : [];
}

/** Lists texts once each, the most frequent first, with their numbers where there are several. */
function counted(texts: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.map(([text, count]) => (sorted.length > 1 ? `${text} (${plural(count, "network")})` : text));
}
