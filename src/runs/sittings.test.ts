import { expect, test } from "vitest";
import { describeEnvironment } from "./environment.js";
import { differencesOfBits } from "./sittings.js";

test("what decides how sums round is told, and nothing else", async () => {
  const here = await describeEnvironment({ device: "cpu" });
  const later = {
    ...here,
    date: "2030-01-01",
    node: "v99.0.0",
    commandLine: "lyceum",
    machine: { ...here.machine },
  };
  later.machine.memoryGiB++;
  later.machine.os = "Another";
  expect(differencesOfBits(here, later)).toEqual([]);
  const { isa: _, ...older } = here;
  expect(differencesOfBits(older, here)).toEqual([]);
  const before = {
    ...here,
    lyceum: "0.0.1",
    commit: "0".repeat(40),
    libtorch: "1.0.0",
    threads: here.threads + 1,
    isa: "other",
    card: "a card",
    device: "cuda",
    machine: { ...here.machine, cpu: "a processor", arch: "riscv64" },
  };
  const found = differencesOfBits(before, here);
  expect(found).toHaveLength(7);
  expect(found.join()).toContain("(before: Lyceum 0.0.1 at commit 000000000000)");
  expect(found).toContain(`kernels for ${here.isa} (before: kernels for other)`);
  expect(found).toContain("the processor (before: a card)");
});
