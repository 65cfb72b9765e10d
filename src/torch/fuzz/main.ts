/**
 * Runs random programs for as long as is asked for and adds what it ran to results/fuzz-bridge.json, so that long hunts
 * can be spread over days and machines: `npm run fuzz:bridge -- --help`.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import fc from "fast-check";
import { version } from "../index.js";
import { bundle } from "../testing/child.js";
import { type Counts, offeredPrograms, programAt } from "./child.js";
import { hunt } from "./hunt.js";
import { addCounts, addEntry, type Entry, noCounts, readCounts, totalOf } from "./results.js";

const usage = `npm run fuzz:bridge -- [options]

  --programs N   how many programs to run (default 100000)
  --seconds N    stop after so long
  --seed N       programs of this seed; drawn when left out
  --from N       the number of the first program: --seed 7 --from 12 --programs 1 --dry runs a lost one again
  --no-guard     without memory that ends at a page which may not be touched (guard.c)
  --dry          leave results/fuzz-bridge.json as it is

LYCEUM_FUZZ_ONLY=linalg takes only operators whose name has that in it. Ctrl-C ends it and keeps the counts.
Exits with 1 where a program ended its process.`;

/** Each process runs so many programs, so that memory which libtorch keeps does not add up. */
const perProcess = 20_000;

const { values: given } = parseArgs({
  options: {
    programs: { type: "string", default: "100000" },
    seconds: { type: "string", default: "Infinity" },
    from: { type: "string", default: "0" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    guard: { type: "boolean", default: true },
    dry: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
  allowNegative: true,
});
if (given.help) {
  console.log(usage);
  process.exit();
}

/** Compiles guard.c. @returns the library's path */
function guardLibrary(): string {
  mkdirSync("build/fuzz-bridge", { recursive: true });
  const library = join(process.cwd(), "build/fuzz-bridge/guard.so");
  const flags = ["-O2", "-shared", "-fPIC", "-o", library, "src/torch/fuzz/guard.c", "-lpthread"];
  execFileSync("cc", flags, { stdio: "inherit" });
  return library;
}

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
process.once("SIGTERM", () => stop.abort());

const [first, seconds, seed] = [Number(given.from), Number(given.seconds), Number(given.seed)];
const end = first + Number(given.programs);
const began = performance.now();
const elapsed = () => (performance.now() - began) / 1000;
const cwd = mkdtempSync(join(tmpdir(), "lyceum-fuzz-"));
const [position, countsFile] = [join(cwd, "position"), join(cwd, "counts")];
const guard = given.guard && existsSync("/lib64/ld-linux-x86-64.so.2") ? guardLibrary() : undefined;
const options = {
  cwd,
  signal: stop.signal,
  // The guarded memory takes 8 GiB of address space.
  ...(guard ? { env: { LD_PRELOAD: guard }, addressSpace: 17_000_000 } : {}),
};
const found: Entry["lost"] = [];
const skip: string[] = [];
let sum: Counts = noCounts();
using child = await bundle("src/torch/fuzz/child.ts");
console.log(`seed ${seed}, ${given.programs} programs${guard ? ", guarded memory" : ""}`);
for (let from = first; from < end && elapsed() < seconds && !stop.signal.aborted; ) {
  const to = Math.min(end, from + perProcess);
  const order = { seed, from, to, seconds: seconds - elapsed(), position, counts: countsFile, skip };
  rmSync(countsFile, { force: true });
  // JSON has no infinity.
  order.seconds = Math.min(order.seconds, 1e9);
  const loss = await hunt(child.script, order, options);
  sum = addCounts(sum, readCounts(countsFile));
  from = loss ? loss.program + 1 : to;
  console.log(`${sum.programs} programs survived, ${found.length} not, ${Math.round(elapsed())} s`);
  if (!loss) continue;
  const program = programAt(offeredPrograms(), seed, loss.program);
  const step = program.steps[loss.step];
  const what = step && "op" in step ? step.op : JSON.stringify(step)?.slice(0, 80);
  found.push({ seed, program: loss.program, step: loss.step, operator: String(what), how: loss.how });
  // The run looks for others from now on.
  if (step && "op" in step) skip.push(step.op.split(".")[0]!);
  console.log(`${loss.how}: ${what}, step ${loss.step} of program ${loss.program}, seed ${seed}`);
  console.log(fc.stringify({ ...program, steps: program.steps.slice(0, loss.step + 1) }), loss.stderr);
}
rmSync(cwd, { recursive: true });
const entry: Entry = {
  date: new Date().toISOString().slice(0, 10),
  machine: cpus()[0]?.model.trim() ?? "unknown",
  libtorch: version(),
  only: process.env.LYCEUM_FUZZ_ONLY ?? null,
  guarded: guard !== undefined,
  seed,
  seconds: Math.round(elapsed()),
  work: Math.round(sum.work),
  programs: sum.programs,
  operators: { called: sum.called.length, returned: sum.returned.length },
  calls: sum.calls,
  lost: found,
};
console.log(JSON.stringify(entry, undefined, 2));
if (!given.dry && entry.programs > 0) {
  const results = addEntry("results/fuzz-bridge.json", entry);
  console.log(`results/fuzz-bridge.json: ${totalOf(results)} programs in all`);
}
process.exitCode = found.length > 0 ? 1 : 0;
