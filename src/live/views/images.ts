import type { Predictions } from "../../analysis/index.js";
import type { AnyDataset } from "../../data/index.js";
import { classKnowledge } from "../../report/class-knowledge.js";
import { chooseDifferent, chooseMistakes, type Example, type Network } from "../../report/examples.js";
import { type Html, html } from "../../report/html.js";
import { nameOf } from "../../report/numbers.js";
import { findImages, readPredictions } from "../../report/run-contents.js";
import { classSection } from "../../report/sections/classes.js";
import { differentSection, exampleCards } from "../../report/sections/examples.js";
import { type Imports, libraryOf, RunFolder } from "../../runs/index.js";
import { runAddress } from "../address.js";
import type { View } from "../part.js";
import type { WatchedRun } from "../watched-run.js";

/** What was last made: reading images takes long, and a few of them are shown at a time. */
let kept: { of: string; html: Promise<Html> } | undefined;

/** The page of test images on which a run's generations differ, or are wrong. */
export async function imagesView(run: WatchedRun, imports: Imports): Promise<View> {
  const { name, listing } = run;
  const of = JSON.stringify([name, listing.generations?.finished, listing.date]);
  if (kept?.of !== of) kept = { of, html: show(run, imports) };
  const shown = await kept.html.catch((error: Error) => html`<p class="warning">${error.message}</p>`);
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
  const images = await findImages(run, libraryOf(imports), undefined);
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

const fits = ({ images, classes }: Predictions, set: AnyDataset) =>
  images === set.test.count && classes === set.classNames.length;
