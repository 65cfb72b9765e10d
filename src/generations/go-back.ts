import type { NotFinite } from "../recipe/index.js";
import { Diverged, type Learner, type Position } from "../training/index.js";
import { loadTogether } from "./load-together.js";

/** What the learning rates are multiplied by each time, where the recipe says nothing. */
const USUAL_RATE = 0.5;

export interface GoingBack {
  /** Where the training goes on. */
  position: Position;
  /** What happened, for people. */
  note: string;
}

/**
 * Puts a learner back to its newest checkpoint, from which it goes on with lower learning rates.
 *
 * @param failed the rates' factor when the loss became NaN or infinite
 * @throws the error itself where the recipe asks for something else, or it went back as often as it may
 */
export async function goBack(
  error: unknown,
  { goBack: times = 0, rate = USUAL_RATE }: NotFinite,
  { folder, learner, failed }: { folder: string | undefined; learner: Learner; failed: number },
): Promise<GoingBack> {
  // The factor says how often it went back, in earlier processes too.
  const before = Math.round(Math.log(failed) / Math.log(rate));
  if (!(error instanceof Diverged) || folder === undefined || before >= times) throw error;
  const found = await loadTogether(folder, learner);
  if (!found) throw error;
  const factor = rate ** (before + 1);
  const { epoch, step } = found.position;
  return {
    position: { ...found.position, rate: factor },
    note:
      `${error.message}. The training goes back to step ${step} after ${epoch} epochs, with its learning rates times ` +
      `${Number(factor.toPrecision(3))}: the ${before + 1}. of ${times} times`,
  };
}
