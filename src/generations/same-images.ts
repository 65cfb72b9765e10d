import { readWeights } from "../runs/index.js";
import * as torch from "../torch/index.js";
import type { Images } from "./images.js";

/** Sums of bytes are exact; what is left is the rounding of a few operations on doubles. */
const ROUNDING = 1e-9;

/**
 * A line that goes on must go on with the images that it began with: a teacher of others teaches what is not there. The
 * weights of a finished generation tell of theirs.
 *
 * @throws Error that names the file and in what the images differ
 */
export function checkSameImages(weights: string, images: Images): void {
  const description = torch.scope(() => readWeights(weights).description);
  const now = { ...images, classNames: images.dataset.classNames };
  const differing = (
    ["channels", "height", "width", "shorterSide", "classNames", "mean", "std"] as const
  ).filter((key) => !isAlike(description[key], now[key]));
  if (differing.length === 0) return;
  throw new Error(
    `${weights}: was trained on other images than these, which differ in ${differing.join(", ")}: ` +
      "give those that the run began with, or start a new run",
  );
}

function isAlike(stored: unknown, now: unknown): boolean {
  if (Array.isArray(stored) && Array.isArray(now))
    return stored.length === now.length && stored.every((value, i) => isAlike(value, now[i]));
  if (typeof stored === "number" && typeof now === "number") return Math.abs(stored - now) <= ROUNDING;
  return stored === now;
}
