import type { OptionProblem, Z } from "../../options.js";
import type { Schedule } from "./define.js";

/**
 * Grows in equal steps to the rate with which `schedule` begins, and then follows it: step s of the warm-up has (s + 1) in
 * `warmupSteps` of that rate (Goyal et al. 2017, section 2.2). `schedule` counts its steps from the warm-up's end, as in
 * PyTorch's SequentialLR, so that it loses none of its rates to the warm-up.
 */
export function withWarmup(schedule: Schedule, { warmupSteps }: { warmupSteps: number }): Schedule {
  return (step) =>
    step < warmupSteps ? schedule(0) * ((step + 1) / warmupSteps) : schedule(step - warmupSteps);
}

/** The option of every schedule that can begin with a warm-up. */
export function warmupOption(z: Z) {
  return {
    warmupEpochs: z.int().min(0).default(0).describe("Epochs over which the rate first grows, in a line."),
  };
}

/** The problems of a warm-up that leaves no epoch to train in. */
export function checkWarmup(
  { warmupEpochs }: { warmupEpochs: number },
  { epochs }: { epochs: number },
): OptionProblem[] {
  if (warmupEpochs < epochs) return [];
  return [{ key: "warmupEpochs", message: `must be less than the ${epochs} epochs, given ${warmupEpochs}` }];
}
