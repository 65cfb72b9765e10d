import { defineConfig } from "vitest/config";

// Node 20 has no `using`: the compiler lowers it, as tsc does for the build.
export default defineConfig({
  esbuild: { target: "es2022" },
  test: {
    include: ["src/**/*.test.ts", "bench/**/*.test.ts"],
    pool: "forks",
    // Two cores: each worker would start its own OpenMP team on both of them.
    poolOptions: { forks: { maxForks: 2 } },
    env: { OMP_NUM_THREADS: "1" },
    testTimeout: 60_000,
  },
});
