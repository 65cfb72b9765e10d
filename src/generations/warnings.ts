import { availableParallelism } from "node:os";
import { hasAmx } from "../nn/index.js";
import { measureBlas } from "../runs/index.js";
import type { Experiment } from "./experiment.js";
import { mostThreads } from "./threads.js";

/** Lists, before a training begins, what in the recipe or on this machine will work, but badly. */
export function warningsFor({ recipe, library }: Pick<Experiment, "recipe" | "library">): string[] {
  const { device, precision, threads = 1, augment, data } = recipe;
  const warnings: string[] = [];
  const keeps = library.find("dataset", data.name)?.augment;
  if (keeps && augment.flip && !keeps.flip)
    warnings.push(`augment.flip mirrors the images of ${data.name}, whose labels do not survive it`);
  if (keeps && augment.crop > 0 && !keeps.crop)
    warnings.push(`augment.crop cuts the images of ${data.name}, whose labels do not survive it`);
  if (device !== "cpu") return warnings;
  const cores = availableParallelism();
  const most = mostThreads();
  if (threads > most)
    warnings.push(
      `threads: ${threads} are more than the ${most} that this machine runs at a time: ${most} are used, and sums round as they ` +
        `do with ${most}; OMP_NUM_THREADS=${threads} insists on ${threads}`,
    );
  else if (threads > cores)
    warnings.push(`${threads} threads on ${cores} cores wait for each other: slower than ${cores}`);
  const advice = threads > cores ? undefined : measureBlas().advice;
  if (advice) warnings.push(advice);
  if (precision === "bfloat16" && !hasAmx()) {
    warnings.push(
      "no units for bfloat16 were found (AMX, and oneDNN in the build): precision: float32 is faster here",
    );
  }
  return warnings;
}
