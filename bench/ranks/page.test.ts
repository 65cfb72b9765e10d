import { expect, test } from "vitest";
import type { Measured, Results, Side } from "./main.js";
import { pageOf } from "./page.js";
import { checkModel, predictions } from "./predictions.js";

const at = (median: number) => ({ lower: median, median, upper: median });

/** Steps of which each side takes as long as it says, in seconds. */
const seconds: Record<Side, number> = {
  "Lyceum 1": 1.6,
  "Lyceum 2": 1.65,
  "Lyceum 2, nothing summed": 1.5,
  "Lyceum 2, sums timed": 1.75,
  "Lyceum 4": 2,
  "Lyceum 4, nothing summed": 1.6,
  "PyTorch 1": 3.2,
  "PyTorch DDP 2": 3.5,
  "PyTorch DDP 2, nothing summed": 3.5,
};
const measured = {
  ...{ model: "resnet50", size: 224, batchSize: 8, gradientBytes: 1e8, steps: 6 },
  ...{ summing: at(0.2), exposed: at(0.05), date: "2026-12-01T00:00:00Z", load: 2 },
  seconds: Object.fromEntries(
    Object.entries(seconds).map(([side, each]) => [side, at(each)]),
  ) as Measured["seconds"],
};
const networks: Measured[] = [{ ...measured, model: "resnet20", gradientBytes: 1e6 }, measured];
const links = {
  "2": { hopSeconds: 1e-4, bytesPerSecond: 5e8 },
  "4": { hopSeconds: 1e-4, bytesPerSecond: 5e8 },
};
const results: Results = {
  ...{ about: "", command: "npm run bench -- ranks", machine: { cpu: "a processor", cores: 2 } },
  ...{ networks, links, allReduces: { "2": { "256": 0.0003 }, "4": { "256": 0.0009 } } },
};

test("the model is fitted to two processes of the network with the most gradients, and held against all others", () => {
  const check = checkModel(results);
  expect(check.map(({ model, ranks, fitted }) => [model, ranks, fitted])).toEqual([
    ["resnet20", 2, false],
    ["resnet20", 4, false],
    ["resnet50", 2, true],
    ["resnet50", 4, false],
  ]);
  expect(check[2]!.predicted).toBeCloseTo(1.65, 3);
  // A lone bucket hides nothing: 1e6 bytes at 5e8 a second, and twice three hops.
  expect(check[0]!.predicted).toBeCloseTo(1.5 + 2e-3 + 6e-4, 5);
});

test("ResNet-50 on clusters is predicted where it was measured, and all nodes together lose something", () => {
  const all = predictions(results);
  expect(all).toHaveLength(32);
  for (const each of all) {
    expect(each.efficiency).toBeGreaterThan(0);
    expect(each.efficiency).toBeLessThan(1);
  }
  expect(predictions({ ...results, networks: [networks[0]!] })).toEqual([]);
});

test("the page has a row for each network and side", () => {
  const page = pageOf({ ...results, check: checkModel(results), predicted: predictions(results) });
  expect(page).toContain("| resnet50 | Lyceum | 1600 | 1650 | 0.97 | 9 % |");
  expect(page).toContain("| resnet50 | PyTorch | 3200 | 3500 | 0.91 | 0 % |");
  expect(page).toContain("| resnet50 | 200 | 50.0 (25 %) | 2.00 | 2.12 |");
  expect(page).toContain("| resnet50 | 2 | 1650 | 1650 | fitted |");
});
