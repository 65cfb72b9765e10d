/**
 * The process that the fuzz test may lose. Before each step it writes which one it is, so that the parent knows
 * what killed it.
 */
import { openSync, writeSync } from "node:fs";
import fc from "fast-check";
import { refusalOf } from "../refused.js";
import { type Program, programs } from "./plans.js";
import { run } from "./run.js";

/** What the parent asks for; JSON in the first argument. */
export interface Order {
  seed: number;
  /** The number of the first program to run, and of the one to stop before. */
  from: number;
  to: number;
  seconds: number;
  /** The path of a file into which the child writes "program step\n", over and over in place. */
  position: string;
  skip?: string[];
}

/** Programs are drawn in batches of this many, each from its own seed. */
const batch = 50;

/** The program of this number; the same in every process of the same source and libtorch. */
export function programAt(all: fc.Arbitrary<Program>, seed: number, number: number): Program {
  return batchAt(all, seed, Math.floor(number / batch))[number % batch]!;
}

function batchAt(all: fc.Arbitrary<Program>, seed: number, index: number): Program[] {
  return fc.sample(all, { seed: (seed + index * 7919) | 0, numRuns: batch });
}

export function offeredPrograms(skip: readonly string[] = []): fc.Arbitrary<Program> {
  const skipped = new Set(skip);
  // LYCEUM_FUZZ_ONLY=_backward, say, takes only operators whose name has that in it.
  const only = new RegExp(process.env.LYCEUM_FUZZ_ONLY ?? "");
  return programs((op) => {
    const base = op.split(".")[0]!;
    return refusalOf(op) === undefined && !skipped.has(base) && only.test(op);
  });
}

async function obey(order: Order): Promise<void> {
  const all = offeredPrograms(order.skip);
  const file = openSync(order.position, "w");
  const end = performance.now() + order.seconds * 1000;
  let current: Program[] = [];
  for (let n = order.from; n < order.to && performance.now() < end; n++) {
    if (n === order.from || n % batch === 0) current = batchAt(all, order.seed, Math.floor(n / batch));
    await run(current[n % batch]!, (step) => {
      writeSync(file, `${n} ${step}`.padEnd(31).concat("\n"), 0);
    });
    // Finalisers run between turns of the event loop.
    if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  writeSync(file, "done".padEnd(31).concat("\n"), 0);
}

if (process.argv[2]?.startsWith("{")) await obey(JSON.parse(process.argv[2]));
