import { readWeights } from "../runs/index.js";
import * as torch from "../torch/index.js";
import type { Images } from "./images.js";
import { isSameNormalisation } from "./normalisation.js";

/**
 * A line that goes on must go on with the images that it began with: a teacher of others teaches what is not there. The
 * weights of a finished generation tell of theirs.
 *
 * @param options.normalisation whether the network was given the images as they are normalised. Default: true
 * @throws Error that names the file and in what the images differ
 */
export function checkSameImages(
  weights: string,
  images: Images,
  { normalisation = true }: { normalisation?: boolean } = {},
): void {
  const description = torch.scope(() => readWeights(weights).description);
  const now = { ...images, classNames: images.dataset.classNames };
  const differing: string[] = (["channels", "height", "width", "shorterSide", "classNames"] as const).filter(
    (key) => JSON.stringify(description[key]) !== JSON.stringify(now[key]),
  );
  if (normalisation && !isSameNormalisation(description, now)) differing.push("mean", "std");
  if (differing.length === 0) return;
  throw new Error(
    `${weights}: was trained on other images than these, which differ in ${differing.join(", ")}: ` +
      "give those that the run began with, or start a new run",
  );
}
