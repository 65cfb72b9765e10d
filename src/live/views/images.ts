import type { Predictions } from "../../analysis/index.js";
import { type AnyDataset, loadDataset } from "../../data/index.js";
import { classKnowledge } from "../../report/class-knowledge.js";
import { chooseDifferent, chooseMistakes, type Example, type Network } from "../../report/examples.js";
import { type Html, html } from "../../report/html.js";
import { nameOf } from "../../report/numbers.js";
import { readPredictions } from "../../report/run-contents.js";
import { classSection } from "../../report/sections/classes.js";
import { differentSection, exampleCards } from "../../report/sections/examples.js";
import { type Imports, libraryOf, RunFolder } from "../../runs/index.js";
import { runAddress } from "../address.js";
import type { View } from "../part.js";
import type { WatchedRun } from "../watched-run.js";

/** The most runs whose images are kept as they were shown. */
const MOST_KEPT = 8;

/** What was made by run: reading images takes long. */
const kept = new Map<string, { of: string; html: Promise<Html> }>();
/** One after the other, since each may take as much memory as its images. */
let queue: Promise<unknown> = Promise.resolve();

function shownOf(run: WatchedRun, of: string, imports: Imports): Promise<Html> {
  const known = kept.get(run.name);
  if (known?.of === of) return known.html;
  const made = queue.then(() => show(run, imports));
  queue = made.catch(() => kept.delete(run.name));
  kept.delete(run.name);
  kept.set(run.name, { of, html: made });
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value!);
  return made;
}

/** The page of test images on which a run's generations differ, or are wrong. */
export async function imagesView(run: WatchedRun, imports: Imports): Promise<View> {
  const { name, listing } = run;
  const of = JSON.stringify([name, listing.generations?.finished, listing.date]);
  const shown = await shownOf(run, of, imports).catch(
    (error: Error) => html`<p class="warning">${error.message}</p>`,
  );
  return {
    title: `${run.shortName}: images – Lyceum`,
    watches: [name],
    parts: [
      {
        name: "head",
        html: html`<p class="kicker"><a href="${runAddress(name)}">${name}</a></p><h1>Images</h1>`,
      },
      { name: "images", html: shown },
    ],
  };
}

async function show({ directory }: WatchedRun, imports: Imports): Promise<Html> {
  const run = await RunFolder.open(directory, imports);
  const finished = (await run.readSummary())?.generations ?? [];
  if (finished.length === 0)
    return html`<p class="empty">No generation is finished yet: test images are read when one is.</p>`;
  const chosen = [...new Set([finished[0]!, finished.at(-1)!])];
  const networks = chosen.flatMap(({ generation, role }): Network[] => {
    const predictions = readPredictions(run, generation);
    return predictions ? [{ name: nameOf(generation, role), generation, predictions }] : [];
  });
  if (networks.length < chosen.length)
    return html`<p class="empty">The generations' test-logits.safetensors are not in the run's folder.</p>`;
  const images = await findTestImages(run, imports);
  if (typeof images === "string") return html`<p class="empty">None here: ${images}.</p>`;
  if (!networks.every(({ predictions }) => fits(predictions, images)))
    return html`<p class="empty">The stored logits are not for these test images.</p>`;
  const mistakes = await chooseMistakes(images, networks);
  const different: Example[] = networks.length > 1 ? await chooseDifferent(images, networks) : [];
  return html`${differentSection(different)}
<h2>The most confident mistakes of the ${networks.at(-1)!.name}</h2>
<p class="note">The wrongly named test images with its highest top scores.</p>
${exampleCards(mistakes)}
${classSection(classKnowledge({ labels: images.test.labels, classNames: images.classNames }, networks))}`;
}

/** Loads the images alone: no cache of a recipe's choosing is written, and nothing is computed of the training images. */
async function findTestImages({ recipe }: RunFolder, imports: Imports): Promise<AnyDataset | string> {
  const { cache: _cache, damaged: _damaged, heldOut: _heldOut, ...spec } = recipe.data;
  const definition = libraryOf(imports).find("dataset", spec.name);
  if (!definition) return `the data set ${spec.name} is not known here`;
  try {
    return await loadDataset(spec, { definition });
  } catch (error) {
    return `the images could not be read (${(error as Error).message.split("\n")[0]})`;
  }
}

const fits = ({ images, classes }: Predictions, set: AnyDataset) =>
  images === set.test.count && classes === set.classNames.length;
