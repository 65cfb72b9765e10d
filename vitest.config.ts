import { defineConfig } from "vitest/config";

/** The layers once more for less of a processor: its own AVX2 kernels, and none but others'. */
const levels = ["avx2", "none"].map((level) => ({
  extends: true as const,
  test: {
    name: level,
    include: ["src/{nn,models}/**/*.test.ts"],
    env: { LYCEUM_ISA: level },
  },
}));

// Node 20 has no `using`: the compiler lowers it, as tsc does for the build.
export default defineConfig({
  esbuild: { target: "es2022" },
  test: {
    pool: "forks",
    // Two cores: each worker would start its own OpenMP team on both of them.
    poolOptions: { forks: { maxForks: 2 } },
    env: { OMP_NUM_THREADS: "1" },
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
