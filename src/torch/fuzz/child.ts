/**
 * The process that the fuzz may lose. Before each step it writes which one it is, so that the parent knows what killed
 * it.
 */
import { openSync, writeFileSync, writeSync } from "node:fs";
import fc from "fast-check";
import { refusalOf } from "../refused.js";
import { type Family, familyOf } from "./families.js";
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
  /** The path of a file into which the child writes its {@link Counts} now and then. */
  counts?: string;
  /** Operators, by their names without overload, whose calls are left out. */
  skip?: string[];
}

export interface Counts {
  programs: number;
  /** The processor's time, in seconds. */
  work: number;
  /** Calls of operators by family, and how many of them returned instead of throwing. */
  calls: Partial<Record<Family, { calls: number; returned: number }>>;
  /** The operators that were called, and those that returned at least once. */
  called: string[];
  returned: string[];
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

export function offeredPrograms(): fc.Arbitrary<Program> {
  // LYCEUM_FUZZ_ONLY=_backward, say, takes only operators whose name has that in it.
  const only = new RegExp(process.env.LYCEUM_FUZZ_ONLY ?? "");
  return programs((op) => refusalOf(op) === undefined && only.test(op));
}

class Counter {
  programs = 0;
  private readonly calls: Counts["calls"] = {};
  private readonly called = new Set<string>();
  private readonly returned = new Set<string>();

  add(op: string, returned: boolean): void {
    const family = familyOf(op);
    this.calls[family] ??= { calls: 0, returned: 0 };
    const of = this.calls[family];
    of.calls++;
    this.called.add(op);
    if (!returned) return;
    of.returned++;
    this.returned.add(op);
  }

  write(path: string): void {
    const { programs, calls } = this;
    const { user, system } = process.cpuUsage();
    const work = (user + system) / 1e6;
    const counts: Counts = { programs, work, calls, called: [...this.called], returned: [...this.returned] };
    writeFileSync(path, JSON.stringify(counts));
  }
}

async function obey(order: Order): Promise<void> {
  const all = offeredPrograms();
  const file = openSync(order.position, "w");
  const end = performance.now() + order.seconds * 1000;
  const counter = new Counter();
  let current: Program[] = [];
  let n = order.from;
  const skipped = new Set(order.skip);
  const watcher = {
    skips: (op: string) => skipped.has(op.split(".")[0]!),
    begins: (step: number) => void writeSync(file, `${n} ${step}`.padEnd(31).concat("\n"), 0),
    called: counter.add.bind(counter),
  };
  for (; n < order.to && performance.now() < end; n++) {
    if (n === order.from || n % batch === 0) current = batchAt(all, order.seed, Math.floor(n / batch));
    await run(current[n % batch]!, watcher);
    counter.programs++;
    if (order.counts && n % 500 === 0) counter.write(order.counts);
    // Finalisers run between turns of the event loop.
    if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  if (order.counts) counter.write(order.counts);
  writeSync(file, "done".padEnd(31).concat("\n"), 0);
}

if (process.argv[2]?.startsWith("{")) await obey(JSON.parse(process.argv[2]));
