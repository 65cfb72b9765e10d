/**
 * The command behind `study`: one process that trains networks of a study and tells its parent of it. It is hidden,
 * since only `study` starts it.
 */
import { Command } from "commander";
import type { WorkEvent } from "../study/index.js";
import { importFiles, withImports } from "./imports.js";
import { parseShard } from "./shard.js";

/** What a worker tells its parent: an event without the parts that only the worker needs. */
export type WorkerMessage =
  | { type: "begun"; fingerprint: string }
  | { type: "finished" | "found"; fingerprint: string }
  | { type: "failed"; fingerprint: string; message: string }
  | { type: "waiting"; message: string }
  | { type: "step"; fingerprint: string; fraction: number; imagesPerSecond: number }
  | { type: "epoch"; fingerprint: string; epoch: number; heldOut?: number };

interface WorkerOptions {
  resultsFolder: string;
  threads?: string;
  shard?: string;
  arms?: string;
  import?: string[];
}

export const studyWorkerCommand = () =>
  withImports(new Command("study-worker"))
    .argument("<study>")
    .requiredOption("--results-folder <folder>")
    .option("--threads <n>")
    .option("--shard <i/n>")
    .option("--arms <names>")
    .action(work);

async function work(path: string, options: WorkerOptions): Promise<void> {
  try {
    await workAt(path, options);
  } finally {
    // While the channel to the parent is open, this process does not end.
    if (process.connected) process.disconnect();
  }
}

async function workAt(path: string, options: WorkerOptions): Promise<void> {
  const { beginStudy, workAtStudy } = await import("../study/index.js");
  const torch = await import("../torch/index.js");
  const controller = new AbortController();
  const abort = () => controller.abort();
  // A Ctrl-C reaches all processes of a terminal. A parent that is gone wants no more of this either.
  process.on("SIGINT", abort).on("SIGTERM", abort).on("disconnect", abort);
  if (options.threads) torch.setNumThreads(Number(options.threads));
  const imports = await importFiles(options.import);
  const shard = options.shard ? parseShard(options.shard, {}) : undefined;
  const begun = await beginStudy(path, options.resultsFolder, {
    imports,
    amend: true,
    shard,
    arms: options.arms?.split(","),
  });
  const { signal } = controller;
  const tell = (message: WorkerMessage) => {
    if (process.connected) process.send?.(message);
  };
  await workAtStudy(begun, { signal, onEvent: (event) => forward(event, tell) });
}

function forward(event: WorkEvent, tell: (message: WorkerMessage) => void): void {
  if (event.type === "waiting") {
    tell(event);
    return;
  }
  const { fingerprint, epochs } = event.network;
  if (event.type === "failed") tell({ type: "failed", fingerprint, message: event.message });
  else if (event.type !== "progress") tell({ type: event.type, fingerprint });
  else if (event.event.type === "step") {
    const { epoch, step, stepsPerEpoch, imagesPerSecond } = event.event;
    const fraction = (epoch - 1 + step / stepsPerEpoch) / epochs;
    tell({ type: "step", fingerprint, fraction, imagesPerSecond });
  } else if (event.event.type === "epoch") {
    const { epoch, validation } = event.event.record;
    tell({ type: "epoch", fingerprint, epoch, ...(validation && { heldOut: validation.top1 }) });
  }
}
