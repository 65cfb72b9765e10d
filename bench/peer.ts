/** A process of a peer, spoken to in lines of JSON: Python with PyTorch (`peer/main.py`), or Node with TensorFlow.js (`tfjs/`). */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { torch } from "lyceum";
import { plainEnvironment } from "./environment.js";

// Compiled into build/bench; the scripts stay where they are.
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
 * PyTorch as one tunes it, and as it comes; on a card as one tunes it, operator by operator or compiled. TensorFlow.js by
 * its wasm backend.
 */
export type PeerName = (typeof peerNames)[number];

/** Whom to measure beside where nobody is named. */
export function usualPeers(device: torch.Device): readonly PeerName[] {
  return peerNames.filter((name) => /cuda|compile/.test(name) === (device !== "cpu"));
}

/** Whether it is written as one who wants speed writes it. */
export function isTuned(name: PeerName): boolean {
  return isPyTorch(name) && name !== "pytorch-default";
}

export function isPyTorch(name: PeerName): boolean {
  return name !== "tfjs";
}

/** TensorFlow.js is nobody's dependency but the bench's: it comes when it is first asked for. */
function installTensorFlow(): void {
  if (existsSync(`${tfjsFolder}/node_modules/.package-lock.json`)) return;
  console.log("installing TensorFlow.js into bench/tfjs");
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status, stderr } = spawnSync("npm", args, { cwd: tfjsFolder, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm ci in bench/tfjs failed: ${stderr?.trim().split("\n").at(-1)}`);
}

/** What `mallopt` does for Lyceum: big blocks are kept. */
const tunedAllocator = {
  MALLOC_MMAP_THRESHOLD_: String(32 << 20),
  MALLOC_TRIM_THRESHOLD_: String(0x7fffffff),
  MALLOC_TOP_PAD_: String(64 << 20),
};

export class Peer {
  readonly name: PeerName;
  readonly python: string;
  /** What it runs with; for other processes like it. */
  readonly env: NodeJS.ProcessEnv;
  /** Such as "1.13.0". */
  version = "";
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #closed: Promise<unknown>;
  #errors = "";

  private constructor(name: PeerName, python: string) {
    this.name = name;
    const allocator = isTuned(name) ? tunedAllocator : {};
    this.python = python;
    this.env = { ...plainEnvironment(), ...allocator };
    this.#process = isPyTorch(name)
      ? spawn(python, [script], { env: this.env })
      : spawn(process.execPath, [`${tfjsFolder}/main.js`], { env: this.env });
    this.#process.stderr.on("data", (text: Buffer) => {
      this.#errors = (this.#errors + text).slice(-2000);
    });
    this.#process.on("error", (error) => {
      this.#errors = error.message;
    });
    this.#closed = once(this.#process, "close").catch(() => {});
    // A peer that is gone shows in the answer that never comes.
    this.#process.stdin.on("error", () => {});
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** @throws Error with the process's own words when it, or what it is to load, is not there */
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
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) {
      await this.#closed;
      const lastWords = this.#errors.trim().split("\n").at(-1);
      throw new Error(lastWords || `${this.name} ended without a word`);
    }
    const answer = JSON.parse(value) as Answer & { error?: string };
    if (answer.error) throw new Error(answer.error);
    return answer;
  }

  stop(): void {
    this.#process.stdin.end();
  }
}
