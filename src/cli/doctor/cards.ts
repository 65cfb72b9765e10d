import { execFileSync } from "node:child_process";
import { type Finding, gib, ok, warning } from "./finding.js";

export interface Cards {
  /** Whether libtorch can compute on a card. */
  available: boolean;
  /** The first card, where the build can ask for it. */
  card: { name: string; free: number; total: number } | undefined;
  /** Whether steps are recorded as CUDA graphs. */
  graphs: boolean;
  /** What NVIDIA's driver says is there, a card a line; undefined where it is not installed. */
  driver: readonly string[] | undefined;
}

/** Says whether `--device cuda` trains, and where it cannot though there is a card, what is missing. */
export function cardsFinding({ available, card, graphs, driver = [] }: Cards): Finding {
  const count = driver.length > 1 ? ` (the first of ${driver.length} cards)` : "";
  if (!available && driver.length === 0) return ok("CUDA", "none: training runs on the CPU");
  if (!available)
    return warning(
      "CUDA",
      `${driver.join("; ")}: not used, since this libtorch has no CUDA. Install one that has, such as ` +
        "python3 -m venv .venv && . .venv/bin/activate && pip install torch, then ./setup in the same shell",
    );
  if (!card || !graphs)
    return warning(
      "CUDA",
      `available${count}; steps are no CUDA graphs, and slower: ./setup found no CUDA headers (set CUDA_HOME, or install cuda-cudart-dev)`,
    );
  return ok(
    "CUDA",
    `${card.name}${count}, ${gib(card.free)} of ${gib(card.total)} free; steps are CUDA graphs`,
  );
}

/** Asks NVIDIA's driver for its cards: a line each, with name and memory. Undefined where there is no driver, or it does not answer. */
export function cardsOfDriver(command = "nvidia-smi"): string[] | undefined {
  try {
    const asked = ["--query-gpu=name,memory.total", "--format=csv,noheader"];
    const text = execFileSync(command, asked, {
      encoding: "utf8",
      timeout: 10_000,
      stdio: ["ignore", "pipe", "ignore"],
    });
    return text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
  } catch {
    return undefined;
  }
}
