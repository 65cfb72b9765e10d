import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Runs the layers and networks once more with the AVX2 kernels, and without kernels of Lyceum's own instruction sets. */
const levels = ["avx2", "none"].map((level) => ({
  extends: true as const,
  test: {
    name: level,
    include: ["src/{nn,models}/**/*.test.ts", "examples/pytorch/*.test.ts"],
    env: { LYCEUM_ISA: level },
  },
}));

// Node 20 has no `using`: the compiler lowers it, as tsc does for the build.
export default defineConfig({
  esbuild: { target: "es2022" },
  // Bench, examples and the tutorial's programs import the package by its name: their tests take its sources, so that nothing needs to be built.
  resolve: {
    alias: [{ find: /^lyceum$/, replacement: fileURLToPath(new URL("src/index.ts", import.meta.url)) }],
  },
  test: {
    pool: "forks",
    // Each worker would start OpenMP threads on all cores, which wait for each other; the environment may ask for more.
    poolOptions: { forks: { maxForks: 2 } },
    env: { OMP_NUM_THREADS: process.env.OMP_NUM_THREADS ?? "1" },
    testTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: { name: "all", include: ["src/**/*.test.ts", "{bench,examples}/**/*.test.ts"] },
      },
      ...levels,
    ],
  },
});
