/**
 * As many damaged files as one likes for each reader, in processes that may be lost:
 *
 *   LYCEUM_FUZZ_RUNS=1000000 LYCEUM_FUZZ_SECONDS=60 npx vitest run --project all src/fuzz/long.test.ts
 *
 * goes on with each reader until it was given so many with this seed, or for so many seconds, those first that were given fewest;
 * LYCEUM_FUZZ_ONLY='run|tar' takes some, LYCEUM_FUZZ_SEED=7 other inputs. It prints a table, keeps counts in
 * results/fuzz-readers.json (or LYCEUM_FUZZ_RESULTS), and leaves in build/fuzz what broke a rule. Without the number nothing is
 * done.
 */
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { bundle, start } from "../torch/testing/child.js";
import { batch, type Order, type Result } from "./order.js";
import { type Row, readResults, rowOf, writeRow } from "./results.js";

const runs = Number(process.env.LYCEUM_FUZZ_RUNS ?? 0);
const seconds = Number(process.env.LYCEUM_FUZZ_SECONDS ?? 1e9);
const only = new RegExp(process.env.LYCEUM_FUZZ_ONLY ?? "");
const seed = Number(process.env.LYCEUM_FUZZ_SEED ?? 20260801);
/** After this many seconds with one input, a reader is taken to hang. */
const patience = 60;
const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const kept = fromRoot("build/fuzz/");
const results = process.env.LYCEUM_FUZZ_RESULTS ?? fromRoot("results/fuzz-readers.json");
const machine = cpus()[0]?.model.trim() ?? "unknown";

it.runIf(runs > 0)("readers survive damaged files", { timeout: 48 * 3600 * 1000 }, async () => {
  using child = await bundle("src/fuzz/child.ts");
  // Not above: without a number nothing of it is needed.
  const { readers } = await import("./readers.js");
  const known = readResults(results);
  const begun = readers
    .filter((reader) => only.test(reader.name))
    .map((reader) => rowOf(known, reader.name, seed, machine))
    .sort((a, b) => a.inputs - b.inputs);
  const bad: string[] = [];
  const rows: Row[] = [];
  for (const before of begun) {
    const { addressSpace = 8_000_000 } = readers.find(({ name }) => name === before.reader)!;
    const row = await huntInProcesses(child.script, before, addressSpace);
    rows.push(row);
    console.log(tableOf([row]));
    for (const what of ["crashes", "hangs", "broken"] as const)
      if (row[what] > before[what]) bad.push(`${row.reader}: ${row[what] - before[what]} ${what}`);
  }
  console.log(`${tableOf(rows)}\nseed ${seed}`);
  expect(bad).toEqual([]);
});

/** Goes on with a reader from where it stands. @returns where it stands then, which the file of results has too */
async function huntInProcesses(script: string, before: Row, addressSpace: number): Promise<Row> {
  const { reader } = before;
  const root = mkdtempSync(join(tmpdir(), "lyceum-fuzz-"));
  let row = before;
  const begun = performance.now();
  const spent = () => (performance.now() - begun) / 1000;
  const [position, result] = [join(root, "position"), join(root, "result")];
  const to = Math.ceil(runs / batch);
  while (row.next < to && spent() < seconds) {
    for (const path of [result, position]) rmSync(path, { force: true });
    const order: Order = {
      ...{ reader, seed, from: row.next, to, seconds: seconds - spent() },
      ...{ root: join(root, "ground"), position, result },
    };
    const { child, ended } = start(script, [JSON.stringify(order)], {
      flags: ["--max-old-space-size=512"],
      addressSpace,
    });
    const soFar = row;
    const keep = () => {
      row = sumOf(soFar, textOf(result), before.seconds + spent());
      writeRow(results, row);
    };
    let [last, since] = ["", performance.now()];
    let looks = 0;
    const watch = setInterval(() => {
      const now = textOf(position);
      if (now !== last) [last, since] = [now, performance.now()];
      // Before the first input the process loads, and makes sound files: on a busy machine that takes minutes.
      else if (now !== "" && performance.now() - since > patience * 1000) child.kill("SIGKILL");
      // This process may be ended at any time, too.
      if (++looks % 10 === 0) keep();
    }, 1000);
    const { code, signal, stderr } = await ended;
    clearInterval(watch);
    const where = textOf(position);
    if (where === "") throw new Error(`${reader}: did not begin: ${stderr}`);
    keep();
    const broken = (JSON.parse(textOf(result) || "{}") as Partial<Result>).broken ?? [];
    mkdirSync(kept, { recursive: true });
    if (broken.length > 0)
      appendFileSync(join(kept, `${reader.replace(/\W/g, "-")}.txt`), `${broken.join("\n\n")}\n\n`);
    if (where === "done") break;
    row[signal === "SIGKILL" ? "hangs" : "crashes"]++;
    const number = Number(where.split(" ")[0]);
    const folder = join(kept, `${reader.replace(/\W/g, "-")}-${seed}-${number}`);
    cpSync(join(root, "ground"), folder, { recursive: true });
    writeFileSync(join(folder, "how.txt"), `${where}: ${signal ?? code}\n${stderr}\n`);
    // The batches that this process had done by then are not counted, but for those that it had written down.
    row.next = number + 1;
    writeRow(results, row);
  }
  rmSync(root, { recursive: true, force: true });
  return row;
}

/** Adds what a process has written down of its batches to what came before it. */
function sumOf(before: Row, result: string, spent: number): Row {
  const found = JSON.parse(result || "{}") as Partial<Result>;
  const [accepted, refused] = [
    before.accepted + (found.accepted ?? 0),
    before.refused + (found.refused ?? 0),
  ];
  return {
    ...before,
    ...{ next: found.next ?? before.next, inputs: accepted + refused, accepted, refused },
    broken: before.broken + (found.broken?.length ?? 0),
    megabytes: Math.max(before.megabytes, found.megabytes ?? 0),
    seconds: Math.round(spent),
  };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}

function tableOf(rows: readonly Row[]): string {
  const line = (cells: readonly (string | number)[]) =>
    cells.map((cell, i) => (i === 0 ? String(cell).padEnd(20) : String(cell).padStart(12))).join("");
  return [
    line(["reader", "inputs", "accepted", "refused", "crashes", "hangs", "broken", "MB at most", "seconds"]),
    ...rows.map((row) =>
      line([
        ...[row.reader, row.inputs, row.accepted, row.refused],
        ...[row.crashes, row.hangs, row.broken, row.megabytes, row.seconds],
      ]),
    ),
  ].join("\n");
}
