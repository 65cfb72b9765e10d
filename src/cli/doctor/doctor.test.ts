/** What doctor says of machines that are not at hand. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { cardsFinding, cardsOfDriver } from "./cards.js";
import { cpuQuota, memoryFinding, threadsFinding } from "./memory.js";
import { processorFindings } from "./processor.js";

const folder = mkdtempSync(join(tmpdir(), "lyceum-doctor-"));
afterAll(() => rmSync(folder, { recursive: true }));
const GiB = 2 ** 30;

describe("processor", () => {
  const intel = { name: "Xeon", cores: 2, arch: "x64", libtorch: "AVX512", asked: undefined };
  const states = (processor: Parameters<typeof processorFindings>[0]) =>
    Object.fromEntries(
      processorFindings(processor).map(({ name, state, detail }) => [name, { state, detail }]),
    );

  it("with everything in use", () => {
    const found = states({ ...intel, flags: "sse avx2 avx512f avx512bw amx_bf16", isa: "avx512", amx: true });
    expect(found.CPU!.detail).toBe("Xeon, 2 cores, libtorch uses AVX512, the CPU has AVX-512, AVX2, AMX");
    expect(found.kernels).toEqual({ state: "ok", detail: "Lyceum's own use AVX-512" });
    expect(found.bfloat16!.detail).toMatch(/^by AMX/);
  });

  it.each([
    ["avx2 avx512f", "avx512", false, "ok", "no AMX here: leave precision at float32"],
    ["avx2 avx512f amx_bf16", "avx512", false, "warning", "sudo apt-get install libdnnl-dev, then ./setup"],
  ])("bfloat16 with %s", (flags, isa, amx, state, detail) => {
    const { bfloat16 } = states({ ...intel, flags, isa, amx });
    expect(bfloat16!.state).toBe(state);
    expect(bfloat16!.detail).toContain(detail);
  });

  it.each([
    ["avx2", "avx2", undefined, "ok", "Lyceum's own use AVX2; a processor with AVX-512 would be faster"],
    [
      "avx2 avx512f",
      "avx2",
      undefined,
      "warning",
      "AVX-512 of this processor lies idle: Lyceum's own use AVX2",
    ],
    [
      "avx2 avx512f",
      "none",
      "none",
      "warning",
      "LYCEUM_ISA=none: AVX-512 of this processor lies idle; unset it",
    ],
    ["sse4_2", "none", undefined, "ok", "this processor has neither AVX-512 nor AVX2"],
    ["avx2", "none", undefined, "warning", "all work is libtorch's; ./setup"],
  ])("kernels on %s that use %s", (flags, isa, asked, state, detail) => {
    const { kernels } = states({ ...intel, flags, isa, asked, amx: false });
    expect(kernels!.state).toBe(state);
    expect(kernels!.detail).toContain(detail);
  });

  it("on ARM there are none of Lyceum's own", () => {
    const found = states({ ...intel, arch: "arm64", flags: "", isa: "none", amx: false });
    expect(found.kernels!.detail).toContain("Lyceum has none for arm64");
    expect(found.CPU!.detail).toBe("Xeon, 2 cores, libtorch uses AVX512");
  });
});

describe("memory", () => {
  it.each([
    [{ total: 24 * GiB, free: 20 * GiB, limit: undefined }, "ok", "24.0 GiB, 20.0 GiB free"],
    [{ total: 24 * GiB, free: 20 * GiB, limit: 2 ** 64 }, "ok", "24.0 GiB, 20.0 GiB free"],
    [{ total: 24 * GiB, free: 20 * GiB, limit: 0 }, "ok", "24.0 GiB, 20.0 GiB free"],
    [
      { total: 24 * GiB, free: 20 * GiB, limit: 4 * GiB },
      "ok",
      "24.0 GiB, 20.0 GiB free; 4.0 GiB at most for this process and its group (cgroup)",
    ],
    [{ total: 24 * GiB, free: 20 * GiB, limit: GiB }, "warning", "raise the container's or the job's limit"],
    [
      { total: 4 * GiB, free: GiB, limit: undefined },
      "warning",
      "end other programs, or a smaller batchSize",
    ],
    [{ total: 4 * GiB, free: GiB, limit: 3 * GiB }, "warning", "end other programs"],
  ] as const)("of %j", (memory, state, detail) => {
    const found = memoryFinding(memory);
    expect(found.state).toBe(state);
    expect(found.detail).toContain(detail);
  });
});

describe("threads", () => {
  const machine = { used: 4, cores: 4, available: 8, quota: undefined, asked: undefined };
  it.each([
    [{}, "ok", "4 for operators; 4 physical cores, 8 hardware threads for this process"],
    [
      { quota: 1.5 },
      "warning",
      "a cgroup allows the time of 1.5: they wait for each other; set OMP_NUM_THREADS=1",
    ],
    [{ quota: 0.5, used: 1 }, "ok", "a cgroup allows the time of 0.5"],
    [{ quota: 6 }, "ok", "a cgroup allows the time of 6"],
    [
      { used: 1, asked: "1" },
      "warning",
      "(OMP_NUM_THREADS=1): cores lie idle unless other programs use them; unset it",
    ],
    [{ used: 16, asked: "16" }, "warning", "they wait for each other; set OMP_NUM_THREADS=8"],
  ])("%j", (change, state, detail) => {
    const found = threadsFinding({ ...machine, ...change });
    expect(found.state).toBe(state);
    expect(found.detail).toContain(detail);
  });

  const system = (name: string, files: Record<string, string>) => {
    const root = join(folder, name);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return cpuQuota(root);
  };
  it.each([
    ["no control groups", {}, undefined],
    [
      "version 2, a limit on the group above",
      {
        "/proc/self/cgroup": "0::/a/b\n",
        "/sys/fs/cgroup/a/cpu.max": "150000 100000\n",
        "/sys/fs/cgroup/a/b/cpu.max": "max 100000\n",
      },
      1.5,
    ],
    [
      "version 2 in a container, whose root is its group",
      { "/proc/self/cgroup": "0::/docker/x\n", "/sys/fs/cgroup/cpu.max": "200000 100000\n" },
      2,
    ],
    [
      "version 1",
      {
        "/proc/self/cgroup": "4:memory:/m\n3:cpu,cpuacct:/job\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        "/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": "50000\n",
        "/sys/fs/cgroup/cpu/job/cpu.cfs_period_us": "100000\n",
      },
      0.5,
    ],
  ])("the processors' time: %s", (name, files, quota) => {
    expect(system(name, files)).toBe(quota);
  });
});

describe("cards", () => {
  const card = { name: "H200", free: 100 * GiB, total: 139 * GiB };
  it.each([
    [
      { available: false, card: undefined, graphs: false, driver: undefined },
      "ok",
      "none: training runs on the CPU",
    ],
    [
      { available: false, card: undefined, graphs: false, driver: ["NVIDIA H200, 143771 MiB"] },
      "warning",
      "NVIDIA H200, 143771 MiB: not used, since this libtorch has no CUDA",
    ],
    [{ available: true, card: undefined, graphs: false, driver: undefined }, "warning", "set CUDA_HOME"],
    [
      { available: true, card, graphs: true, driver: ["a", "b"] },
      "ok",
      "H200 (the first of 2 cards), 100.0 GiB of",
    ],
  ])("%j", (cards, state, detail) => {
    const found = cardsFinding(cards);
    expect(found.state).toBe(state);
    expect(found.detail).toContain(detail);
  });

  it("asks NVIDIA's driver, which may be missing or fail", () => {
    const driver = (name: string, body: string) => {
      const path = join(folder, name);
      writeFileSync(path, `#!/bin/sh\n${body}\n`);
      chmodSync(path, 0o755);
      return path;
    };
    expect(cardsOfDriver(driver("two", "printf 'NVIDIA A, 1 MiB\\nNVIDIA B, 2 MiB\\n'"))).toEqual([
      "NVIDIA A, 1 MiB",
      "NVIDIA B, 2 MiB",
    ]);
    expect(cardsOfDriver(driver("fails", "exit 9"))).toBeUndefined();
    expect(cardsOfDriver(join(folder, "missing"))).toBeUndefined();
  });
});
