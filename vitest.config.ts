import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Whether the processor has AVX2, without which `LYCEUM_ISA=avx2` is refused. */
function hasAvx2(): boolean {
  try {
    return /^flags\s*:.* avx2 /m.test(readFileSync("/proc/cpuinfo", "utf8"));
  } catch {
    return false;
  }
}

/** Layers and updates are tested once more with the kernels of lesser processors, except for what takes long. */
const isas = [...(hasAvx2() ? ["avx2"] : []), "none"].map((isa) => ({
  extends: true as const,
  test: {
    name: isa,
    include: ["src/{nn,models,optim}/**/*.test.ts", "examples/pytorch/*.test.ts"],
    exclude: ["**/*.slow.test.ts"],
    env: { LYCEUM_ISA: isa },
  },
}));

/** In milliseconds. The addon with sanitizers (sanitize/run) is several times as slow. */
const patience = process.env.LYCEUM_SANITIZED ? 1_200_000 : 60_000;

// Node 20 has no `using`: the compiler lowers it, as tsc does for the build.
export default defineConfig({
  esbuild: { target: "es2022" },
  // Bench, examples and the documentation's programs import the package by its name: their tests take its sources, so that
  // nothing needs to be built.
  resolve: {
    alias: [
      { find: /^lyceum$/, replacement: fileURLToPath(new URL("src/index.ts", import.meta.url)) },
      { find: /^lyceum\/(\w+)$/, replacement: fileURLToPath(new URL("src/$1/index.ts", import.meta.url)) },
    ],
  },
  test: {
    pool: "forks",
    // Each worker would start OpenMP threads on all cores, which wait for each other; the environment may ask for more.
    poolOptions: { forks: { maxForks: 2 } },
    env: { OMP_NUM_THREADS: process.env.OMP_NUM_THREADS ?? "1" },
    testTimeout: patience,
    hookTimeout: patience,
    projects: [
      {
        extends: true,
        test: { name: "all", include: ["src/**/*.test.ts", "{bench,examples,faults}/**/*.test.ts"] },
      },
      ...isas,
    ],
  },
});
