import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { lyceumVersion, refuseLinkAt, writeAtomic } from "../../runs/index.js";
import type { StudyResult } from "../../study/index.js";
import { paired, studySentences } from "../../study/index.js";
import { figuresOf } from "./figures/index.js";
import type { Provenance } from "./made-with.js";
import { studyMarkdown } from "./markdown.js";
import { studyPage } from "./page.js";
import { pngOf } from "./png.js";
import { standalone } from "./standalone.js";
import { differencesCsv, ensemblesCsv, networksCsv } from "./tables.js";
import { viewOf } from "./view.js";

export interface StudyReportOptions extends Provenance {
  /** Whether the figures are drawn as PNG files too, which takes half a second each. Default: true. */
  png?: boolean;
}

/**
 * Writes the report of a study: `report.html`, which holds all it shows; `report.md`, its words and its table; the
 * figures in `figures/`, as SVG and PNG; and the numbers in `data/`, as CSV. The same results give the same page, SVG
 * and CSV files to the byte.
 *
 * @param directory the folder to write into, which is made where it is missing
 * @returns the paths of the files, the page first
 * @throws Error of the file system, with the path that could not be written, or where a folder to write into is a link
 */
export async function writeStudyReport(
  study: StudyResult,
  directory: string,
  { png = true, ...provenance }: StudyReportOptions = {},
): Promise<string[]> {
  const folders = ["figures", "data"];
  for (const folder of folders) await refuseLinkAt(join(directory, folder));
  const differences = paired(study);
  const view = viewOf(study, differences);
  const figures = figuresOf(view);
  const sentences = studySentences(study);
  const page = studyPage({
    study,
    sentences,
    figures,
    series: view.arms,
    provenance,
    lyceum: lyceumVersion(),
  });
  const written: string[] = [];
  const write = async (path: string, content: string | Uint8Array) => {
    const whole = join(directory, path);
    await writeAtomic(whole, content);
    written.push(whole);
  };
  for (const folder of folders) await mkdir(join(directory, folder), { recursive: true });
  await write("report.html", page);
  const all = [...figures.first, ...figures.others];
  await write("report.md", studyMarkdown({ study, sentences, figures: png ? all : [], provenance }));
  await write("data/networks.csv", networksCsv(study));
  await write("data/ensembles.csv", ensemblesCsv(study));
  await write("data/differences.csv", differencesCsv(differences));
  for (const figure of all) {
    const svg = standalone(figure, study.title);
    await write(`figures/${figure.name}.svg`, svg);
    if (png) await write(`figures/${figure.name}.png`, await pngOf(svg));
  }
  return written;
}
