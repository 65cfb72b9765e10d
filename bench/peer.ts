/**
 * A peer's process, which takes and answers requests as lines of JSON: Python with PyTorch (`peer/main.py`), or Node with
 * TensorFlow.js (`tfjs/`).
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { torch } from "lyceum";
import { Answering } from "./answering.js";
import { plainEnvironment } from "./environment.js";

// This module runs from build/bench, where tsc puts it; the scripts stay in bench.
const script = fileURLToPath(new URL("../../bench/peer/main.py", import.meta.url));
const tfjsFolder = fileURLToPath(new URL("../../bench/tfjs", import.meta.url));

export const peerNames = [
  "pytorch-tuned",
  "pytorch-default",
  "pytorch-eager-cuda",
  "pytorch-compile",
  "tfjs",
] as const;
/**
 * `pytorch-tuned` is PyTorch as one who wants speed writes it, `pytorch-default` as most people do. On a card PyTorch is
 * always tuned, and runs operator by operator (`pytorch-eager-cuda`) or through torch.compile (`pytorch-compile`). `tfjs` is
 * TensorFlow.js with its wasm backend.
 */
export type PeerName = (typeof peerNames)[number];

/** The peers that are measured when the command line names none. */
export function usualPeers(device: torch.Device): readonly PeerName[] {
  return peerNames.filter((name) => /cuda|compile/.test(name) === (device !== "cpu"));
}

/** Whether the peer is PyTorch, tuned for speed. */
export function isTuned(name: PeerName): boolean {
  return isPyTorch(name) && name !== "pytorch-default";
}

export function isPyTorch(name: PeerName): boolean {
  return name !== "tfjs";
}

/** Installs TensorFlow.js into its folder, unless it is there: only the bench needs it, when it is asked for. */
function installTensorFlow(): void {
  if (existsSync(`${tfjsFolder}/node_modules/.package-lock.json`)) return;
  console.log("installing TensorFlow.js into bench/tfjs");
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status, stderr } = spawnSync("npm", args, { cwd: tfjsFolder, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm ci in bench/tfjs failed: ${stderr?.trim().split("\n").at(-1)}`);
}

/** Has malloc keep large blocks instead of giving them back to the kernel, as Lyceum's own call of `mallopt` does. */
export const tunedAllocator = {
  MALLOC_MMAP_THRESHOLD_: String(32 << 20),
  MALLOC_TRIM_THRESHOLD_: String(0x7fffffff),
  MALLOC_TOP_PAD_: String(64 << 20),
};

export class Peer {
  readonly name: PeerName;
  readonly python: string;
  /** The environment of the peer's process, for other processes of the same peer. */
  readonly env: NodeJS.ProcessEnv;
  /** The version of PyTorch or TensorFlow.js, such as "1.13.0". */
  version = "";
  readonly #process: Answering;

  private constructor(name: PeerName, python: string) {
    this.name = name;
    const allocator = isTuned(name) ? tunedAllocator : {};
    this.python = python;
    this.env = { ...plainEnvironment(), ...allocator };
    const [program, file] = isPyTorch(name) ? [python, script] : [process.execPath, `${tfjsFolder}/main.js`];
    this.#process = new Answering(name, program, [file], this.env);
  }

  /** @throws Error with the process's own message when it cannot start, or what it loads is missing */
  static async start(name: PeerName, python: string, threads: number, device: torch.Device): Promise<Peer> {
    if (!isPyTorch(name)) installTensorFlow();
    const peer = new Peer(name, python);
    try {
      peer.version = (await peer.ask<{ version: string }>({ do: "hello", threads, device })).version;
      return peer;
    } catch (error) {
      peer.stop();
      throw error;
    }
  }

  async ask<Answer>(request: { do: string } & Record<string, unknown>): Promise<Answer> {
    return await this.#process.ask(request);
  }

  stop(): void {
    this.#process.stop();
  }
}
