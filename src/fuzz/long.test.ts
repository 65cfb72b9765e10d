/**
 * As many damaged files as one likes for each reader, in processes that may be lost:
 *
 *   LYCEUM_FUZZ_RUNS=1000000 LYCEUM_FUZZ_ONLY='run|tar' LYCEUM_FUZZ_SEED=7 npx vitest run --project all src/fuzz/long.test.ts
 *
 * prints a table, and leaves in build/fuzz what broke a rule. Without the number nothing is done.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { bundle, start } from "../torch/testing/child.js";
import { batch, type Order, type Result } from "./child.js";
import { readers } from "./readers.js";

const runs = Number(process.env.LYCEUM_FUZZ_RUNS ?? 0);
const only = new RegExp(process.env.LYCEUM_FUZZ_ONLY ?? "");
const seed = Number(process.env.LYCEUM_FUZZ_SEED ?? 20260801);
/** After this many seconds with one input, a reader is taken to hang. */
const patience = 60;
const kept = fileURLToPath(new URL("../../build/fuzz/", import.meta.url));

interface Row extends Result {
  reader: string;
  crashes: number;
  hangs: number;
  seconds: number;
}

it.runIf(runs > 0)("readers survive damaged files", { timeout: 48 * 3600 * 1000 }, async () => {
  using child = await bundle("src/fuzz/child.ts");
  const rows: Row[] = [];
  for (const { name } of readers.filter((reader) => only.test(reader.name))) {
    rows.push(await huntInProcesses(child.script, name));
    console.log(tableOf(rows.slice(-1)));
  }
  console.log(`${tableOf(rows)}\nseed ${seed}`);
  mkdirSync(kept, { recursive: true });
  writeFileSync(join(kept, "table.txt"), `${tableOf(rows)}\nseed ${seed}\n`);
  expect(rows.filter(({ crashes, hangs, broken }) => crashes + hangs + broken.length > 0)).toEqual([]);
});

async function huntInProcesses(script: string, reader: string): Promise<Row> {
  const root = mkdtempSync(join(tmpdir(), "lyceum-fuzz-"));
  const row: Row = {
    reader,
    accepted: 0,
    refused: 0,
    broken: [],
    megabytes: 0,
    crashes: 0,
    hangs: 0,
    seconds: 0,
  };
  const begun = performance.now();
  const [position, result] = [join(root, "position"), join(root, "result")];
  const to = Math.ceil(runs / batch);
  for (let from = 0; from < to; ) {
    for (const path of [result, position]) rmSync(path, { force: true });
    const order: Order = { reader, seed, from, to, root: join(root, "ground"), position, result };
    const { child, ended } = start(script, [JSON.stringify(order)], {
      flags: ["--max-old-space-size=512"],
      addressSpace: 8_000_000,
    });
    let [last, since] = ["", performance.now()];
    const watch = setInterval(() => {
      const now = textOf(position);
      if (now !== last) [last, since] = [now, performance.now()];
      // Before the first input the process loads, and makes sound files: on a busy machine that takes minutes.
      else if (now !== "" && performance.now() - since > patience * 1000) child.kill("SIGKILL");
    }, 1000);
    const { code, signal, stderr } = await ended;
    clearInterval(watch);
    const found = JSON.parse(textOf(result) || "{}") as Partial<Result>;
    row.accepted += found.accepted ?? 0;
    row.refused += found.refused ?? 0;
    row.broken.push(...(found.broken ?? []));
    row.megabytes = Math.max(row.megabytes, found.megabytes ?? 0);
    const where = textOf(position);
    if (where === "done") break;
    if (where === "") throw new Error(`${reader}: did not begin: ${stderr}`);
    row[signal === "SIGKILL" ? "hangs" : "crashes"]++;
    const number = Number(where.split(" ")[0] ?? from);
    const folder = join(kept, `${reader.replace(/\W/g, "-")}-${seed}-${number}`);
    cpSync(join(root, "ground"), folder, { recursive: true });
    writeFileSync(join(folder, "how.txt"), `${where}: ${signal ?? code}\n${stderr}\n`);
    // The batches that this process had done by then are not counted, but for those that it had written down.
    from = number + 1;
  }
  rmSync(root, { recursive: true, force: true });
  if (row.broken.length > 0) {
    mkdirSync(kept, { recursive: true });
    writeFileSync(join(kept, `${reader.replace(/\W/g, "-")}.txt`), row.broken.join("\n\n"));
  }
  row.seconds = Math.round((performance.now() - begun) / 1000);
  return row;
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
    ...rows.map(({ reader, accepted, refused, crashes, hangs, broken, megabytes, seconds }) =>
      line([
        reader,
        accepted + refused,
        accepted,
        refused,
        crashes,
        hangs,
        broken.length,
        megabytes,
        seconds,
      ]),
    ),
  ].join("\n");
}
