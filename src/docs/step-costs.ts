/** Reads what a step costs by each method, as `bench/probes/method-steps.ts` has measured it. */
import { existsSync, readFileSync } from "node:fs";
import type { z } from "zod";
import { schema } from "../packages.js";

const measured = schema((z) =>
  z.object({
    command: z.string(),
    date: z.string(),
    machine: z.string(),
    what: z.string(),
    /** Seconds of a step by the method over those of a step by `strict`. */
    ratios: z.record(z.string(), z.number()),
  }),
);

export type StepCosts = z.infer<ReturnType<typeof measured>>;

/** Gives the last measurement, or undefined where none is committed. */
export function stepCosts(): StepCosts | undefined {
  const file = new URL("../../bench/results/method-steps.json", import.meta.url);
  return existsSync(file) ? measured().parse(JSON.parse(readFileSync(file, "utf8"))) : undefined;
}
