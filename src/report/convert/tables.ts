import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { metrics, numbersOf } from "../../analysis/index.js";
import type { EpochRecord, GenerationResult, RunFolder, TestResult } from "../../runs/index.js";
import { csv } from "../csv.js";
import type { Conversion } from "./index.js";

/** Writes `epochs.csv`, a row an epoch, and `networks.csv`, a row a generation and an ensemble. Accuracies are fractions. */
export async function writeTables(run: RunFolder, folder: string): Promise<Conversion> {
  await mkdir(folder, { recursive: true });
  const summary = await run.readSummary();
  const tables = {
    "epochs.csv": epochsTable(await run.readMetrics()),
    "networks.csv": networksTable(summary?.generations ?? [], summary?.ensembles ?? {}),
  };
  const written = [];
  for (const [name, text] of Object.entries(tables)) {
    const path = join(folder, name);
    await writeFile(path, text);
    written.push(path);
  }
  return { written, notes: summary ? [] : ["no generation is finished yet: networks.csv has no rows"] };
}

function epochsTable(records: readonly EpochRecord[]): string {
  const terms = [...new Set(records.flatMap((record) => Object.keys(record.terms)))];
  const fixed = ["generation", "role", "epoch", "epochs", "learningRate", "trainLoss", "trainTop1"] as const;
  const rest = ["imagesPerSecond", "seconds", "date"] as const;
  return csv(
    [...fixed, ...terms.map((name) => `terms.${name}`), "validation.loss", "validation.top1", ...rest],
    records.map((record) => [
      ...fixed.map((key) => record[key]),
      ...terms.map((name) => record.terms[name]),
      record.validation?.loss,
      record.validation?.top1,
      ...rest.map((key) => record[key]),
    ]),
  );
}

function networksTable(
  generations: readonly GenerationResult[],
  ensembles: Readonly<Record<string, { test: TestResult }>>,
): string {
  const rows = [
    ...generations.map(({ generation, role, epochs, trainSeconds, test }) => ({
      ...{ name: String(generation), role, epochs, trainSeconds, test },
    })),
    ...Object.entries(ensembles).map(([name, { test }]) => ({
      ...{ name, role: "ensemble", epochs: undefined, trainSeconds: undefined, test },
    })),
  ];
  const numbers = rows.map(({ test }) => numbersOf(test));
  const order = metrics.map(({ name }) => name as string);
  const names = [...new Set(numbers.flatMap((each) => [...each.keys()]))].sort((a, b) => rank(a) - rank(b));
  return csv(
    ["network", "role", "epochs", "trainSeconds", ...names],
    rows.map(({ name, role, epochs, trainSeconds }, i) => [
      ...[name, role, epochs, trainSeconds],
      ...names.map((each) => numbers[i]!.get(each)),
    ]),
  );

  function rank(name: string): number {
    const [, metric, index = "0"] = /^([^[]+)(?:\[(\d+)\])?$/.exec(name)!;
    return order.indexOf(metric!) + Number(index) / 1000;
  }
}
