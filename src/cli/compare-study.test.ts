import { writeFileSync } from "node:fs";
import { beforeEach, expect, it } from "vitest";
import { checkStudy, planStudy, StudyFolder } from "../study/index.js";
import { run } from "./program.js";
import { useTerminal } from "./testing/terminal.js";

const terminal = useTerminal();
const folder = () => new StudyFolder("results/few");
const study = checkStudy({
  title: "Few images",
  base: {
    data: { name: "synthetic", testCount: 40, trainCount: 50, size: 16 },
    generations: 2,
    student: "distillation",
  },
  seeds: 3,
  arms: { strict: { patriarch: "strict" }, tolerant: { patriarch: { k: 5 } } },
});

/** Accuracies in percent, by generation for each seed. */
const top1: Record<string, number[][]> = {
  strict: [
    [50, 52],
    [51, 52.6],
    [50.4, 52.2],
  ],
  tolerant: [
    [48, 52.5],
    [49.4, 53],
    [48.3, 52.8],
  ],
};

beforeEach(async () => {
  await folder().begin(study);
  for (const { fingerprint, decides, generation, seed, arms } of planStudy(study).networks) {
    if (arms[0] === "tolerant" && seed === 2) continue;
    await folder().writeNetwork({
      format: 1,
      fingerprint,
      decides,
      images: { train: "a".repeat(64), test: "b".repeat(64) },
      test: { top1: top1[arms[0]!]![seed]![generation]! / 100 },
      curve: { trainLoss: [1], trainTop1: [0.5] },
      trainSeconds: 60,
      kernels: "AVX2",
      machine: { cpu: "a processor", cores: 2, memoryGiB: 4, os: "Debian", arch: "x64" },
      lyceum: "0.1.0",
      date: "2026-11-30T12:00:00.000Z",
    });
  }
});

it.each(["few", "results/few", "studies/few.yaml"])(
  "compares the arms of the study that %s names",
  async (name) => {
    expect(await run(["compare", name])).toBe(0);
    expect(terminal.out).toContain("Few images: top-1 on the test images");
    expect(terminal.out).toMatch(/^tolerant's first student − strict's +\+0\.5 +−0\.2 to 1\.1 /m);
    expect(terminal.out).toContain("10 of 12 networks are trained; 2 are missing, of tolerant (seed 2).");
    expect(terminal.out).toContain("Only strict has a value for seed 2, and tolerant none: left out.");
  },
);

it("says so where it cannot be compared", async () => {
  expect(await run(["compare", "few", "few"])).toBe(2);
  expect(terminal.err).toContain("few: is a study: compare one study at a time, without runs");
  terminal.err = "";
  expect(await run(["compare", "few", "--part", "held-out"])).toBe(1);
  expect(terminal.err).toContain("no network has top1 on the held-out images");
  terminal.err = "";
  writeFileSync("results/few/study.yaml", "arms: {}");
  expect(await run(["compare", "few"])).toBe(2);
  expect(terminal.err).toContain("study.yaml");
});
