/** Measures the most that this machine can do: by `peak.cpp` and, in bfloat16, by a product of matrices. */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { torch, type training } from "lyceum";
import { hasBfloat16 } from "../networks.js";
import type { Peak } from "./roofline.js";

const source = fileURLToPath(new URL("../../../bench/roofline/peak.cpp", import.meta.url));
const program = fileURLToPath(new URL("../../peak/peak", import.meta.url));

/** The processor's peaks by precision. It has none for float16. */
export type Peaks = Partial<Record<training.Precision, Peak>> & { float32: Peak };

function run(command: string, args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command}: ${error?.message ?? stderr.trim()}`);
  return stdout;
}

/** FLOP/s of libtorch's best matrix product in bfloat16: plain C++ cannot reach a processor's matrix units. */
function bfloat16Product(): number {
  const size = 1024;
  let best = 0;
  torch.scope(() => {
    const matrix = torch.randn([size, size]).to({ dtype: "bfloat16" });
    for (let round = 0; round < 10; round++) {
      const start = performance.now();
      torch.scope(() => void matrix.mm(matrix));
      best = Math.max(best, (2 * size ** 3) / ((performance.now() - start) / 1000));
    }
  });
  return best;
}

/** @throws Error when there is no compiler */
export function measurePeaks(threads: number): Peaks {
  mkdirSync(dirname(program), { recursive: true });
  const options = ["-std=c++17", "-O3", "-march=native", "-fopenmp"];
  run(process.env.CXX ?? "c++", [...options, source, "-o", program]);
  const { gflops, gigabytes } = JSON.parse(run(program, [String(threads)])) as {
    gflops: number;
    gigabytes: number;
  };
  const bytesPerSecond = gigabytes * 1e9;
  return {
    float32: { flopsPerSecond: gflops * 1e9, bytesPerSecond },
    ...(hasBfloat16 ? { bfloat16: { flopsPerSecond: bfloat16Product(), bytesPerSecond } } : {}),
  };
}
