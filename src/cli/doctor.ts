import { readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import type * as Torch from "../torch/index.js";
import { findSets } from "./found-sets.js";

/** One thing that was checked, and its state. */
interface Finding {
  name: string;
  state: "ok" | "warning" | "failure";
  detail: string;
}

export const doctorCommand = () =>
  new Command("doctor")
    .description("look at this machine: libtorch, its speed, data sets, disk")
    .option("--json", "print the findings as JSON")
    .addHelpText("after", "\nExamples:\n  $ npx lyceum doctor\n  $ npx lyceum doctor --json")
    .action(async ({ json }: { json?: boolean }) => {
      const findings = [checkNode(), ...(await checkTorch()), ...(await checkData()), await checkDisk()];
      if (json) console.log(JSON.stringify(findings, null, 2));
      else for (const finding of findings) console.log(lineOf(finding));
      const failures = findings.filter(({ state }) => state === "failure");
      if (failures.length > 0)
        throw new Error(`Lyceum cannot work here: ${failures.map(({ name }) => name).join(", ")}`);
    });

const marks = { ok: "ok     ", warning: "WARNING", failure: "FAILURE" };

function lineOf({ name, state, detail }: Finding): string {
  return `${marks[state]}  ${name.padEnd(15)}${detail}`;
}

const ok = (name: string, detail: string): Finding => ({ name, state: "ok", detail });

function checkNode(): Finding {
  const supported = Number(process.versions.node.split(".")[0]) >= 20;
  return supported
    ? ok("Node.js", process.version)
    : { name: "Node.js", state: "failure", detail: `${process.version}, but 20 or newer is needed` };
}

/** Checks the addon, libtorch and the machine. Where the addon cannot be loaded, that is the only finding. */
async function checkTorch(): Promise<Finding[]> {
  const torch = await import("../torch/index.js");
  const { describeKernels, hasJpeg } = await import("../nn/cpu/index.js");
  try {
    torch.version();
  } catch (error) {
    return [{ name: "libtorch", state: "failure", detail: (error as Error).message }];
  }
  const { describeMachine, measureBlas } = await import("../runs/index.js");
  const { cpu, cores, memoryGiB, os, arch } = describeMachine();
  const { gflops, threads, advice } = measureBlas({ size: 1024, seconds: 1, whole: true });
  return [
    ok("libtorch", `${torch.version()}, ${sourceOfTorch()}`),
    ok("addon", torch.nativePath()),
    ok("CPU", `${cpu}, ${cores} core${cores === 1 ? "" : "s"}, ${vectorUnits(torch.buildSettings())}`),
    ok("memory", `${memoryGiB} GiB`),
    ok("system", `${os}, ${arch}`),
    ok("threads", String(threads)),
    ok("convolutions", describeKernels()),
    hasJpeg()
      ? ok("JPEG", "decoded by libjpeg-turbo, on threads of its own")
      : {
          name: "JPEG",
          state: "warning",
          detail: "decoded by sharp, several times slower: sudo apt-get install libjpeg-dev, then ./setup",
        },
    ok("CUDA", cuda(torch)),
    processes(torch),
    ok("transfer", transfer(torch)),
    advice
      ? { name: "matrix speed", state: "warning", detail: advice }
      : ok("matrix speed", `${gflops.toFixed(0)} GFLOP/s (float32, 1024 x 1024)`),
  ];
}

/** Describes the graphics card on which `--device cuda` trains. */
function cuda({ cudaAvailable, cudaDevice, hasCudaGraphs }: typeof Torch): string {
  if (!cudaAvailable()) return "none: training runs on the CPU";
  const card = cudaDevice("cuda");
  if (!card || !hasCudaGraphs())
    return "available; steps are no CUDA graphs: ./setup found no CUDA headers (CUDA_HOME)";
  const gib = (bytes: number) => (bytes / 2 ** 30).toFixed(1);
  return `${card.name}, ${gib(card.free)} of ${gib(card.total)} GiB free; steps are CUDA graphs`;
}

/** Says whether several processes can train one network together. */
function processes({ hasProcessGroups, hasNccl, cudaAvailable }: typeof Torch): Finding {
  if (!hasProcessGroups())
    return {
      name: "processes",
      state: "warning",
      detail: "only one can train a network: several need Debian's libtorch with libgloo-dev, then ./setup",
    };
  const cards = hasNccl() ? ", by NCCL on cards" : cudaAvailable() ? ", not on cards (no NCCL headers)" : "";
  return ok("processes", `several can train together, by Gloo${cards}`);
}

/** Says what `lyceum transfer` can fit here. */
function transfer({ hasOperator }: typeof Torch): string {
  return hasOperator("lyceum::linear_svm")
    ? "support vector machines by liblinear"
    : "no support vector machines without liblinear: sudo apt-get install liblinear-dev, then ./setup";
}

/** Says where the libtorch comes from, as `setup` has noted it. */
function sourceOfTorch(): string {
  try {
    const path = fileURLToPath(new URL("../../build/libtorch.json", import.meta.url));
    const { prefix, source } = JSON.parse(readFileSync(path, "utf8")) as Record<string, string>;
    const words: Record<string, string> = {
      env: "from $LIBTORCH",
      python: "of Python",
      system: "the system's",
    };
    return `${words[source ?? ""] ?? "found"} in ${prefix}`;
  } catch {
    return "from an unknown place: ./setup has not noted it";
  }
}

/**
 * Names the vector instructions that libtorch's kernels use, and the widest that the CPU has, where Linux
 * says so.
 */
function vectorUnits(buildSettings: string): string {
  const used = /CPU capability usage: *(\S+)/.exec(buildSettings)?.[1] ?? "unknown vector units";
  let flags = "";
  try {
    flags = /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "";
  } catch {
    // Other systems than Linux have no such file.
  }
  const has = / avx512f/.test(flags) ? "AVX-512" : / avx2/.test(flags) ? "AVX2" : undefined;
  return `libtorch uses ${used}${has ? `, the CPU has ${has}` : ""}`;
}

async function checkData(): Promise<Finding[]> {
  const sets = (await findSets()).filter(({ place }) => place !== "made, not stored");
  const here = sets.filter(({ place }) => place !== null).map(({ name, place }) => ok(name, place!));
  const missing = sets.filter(({ place }) => place === null).map(({ name }) => name);
  if (here.length === 0)
    return [
      { name: "data sets", state: "warning", detail: "none here: npx lyceum data fetch fashion-mnist" },
    ];
  return missing.length > 0
    ? [...here, ok("not here", `${missing.join(", ")}: npx lyceum data fetch NAME`)]
    : here;
}

async function checkDisk(): Promise<Finding> {
  const { bavail, bsize } = await statfs(".");
  const free = (bavail * bsize) / 2 ** 30;
  const detail = `${free.toFixed(1)} GiB free here`;
  return free >= 1 ? ok("disk", detail) : { name: "disk", state: "warning", detail: `only ${detail}` };
}
