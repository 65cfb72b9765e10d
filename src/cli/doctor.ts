import { readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { availableParallelism, freemem, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import type * as Torch from "../torch/index.js";
import { cardsFinding, cardsOfDriver } from "./doctor/cards.js";
import { type Finding, failure, ok, warning } from "./doctor/finding.js";
import { cpuQuota, memoryFinding, threadsFinding } from "./doctor/memory.js";
import { processorFindings } from "./doctor/processor.js";
import { findSets } from "./found-sets.js";

export const doctorCommand = () =>
  new Command("doctor")
    .description("look at this machine: libtorch, its speed, processor, cards, memory, data sets, disk")
    .option("--json", "print the findings as JSON")
    .addHelpText(
      "after",
      `
A WARNING says what is slower or missing, and what to do; all works without. A FAILURE ends with exit code 1.

Examples:
  $ npx lyceum doctor
  $ npx lyceum doctor --json`,
    )
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

function checkNode(): Finding {
  const supported = Number(process.versions.node.split(".")[0]) >= 20;
  return supported
    ? ok("Node.js", process.version)
    : failure("Node.js", `${process.version}, but 20 or newer is needed: https://nodejs.org`);
}

/** Checks the addon, libtorch and the machine. Where the addon cannot be loaded, little more can be said. */
async function checkTorch(): Promise<Finding[]> {
  const torch = await import("../torch/index.js");
  const { describeKernels, hasJpeg } = await import("../nn/cpu/index.js");
  const { hasAmx } = await import("../nn/index.js");
  try {
    torch.version();
  } catch (error) {
    return [failure("libtorch", (error as Error).message), memory()];
  }
  const { describeMachine, measureBlas } = await import("../runs/index.js");
  const { cpu, cores, os, arch } = describeMachine();
  const { gflops, threads, advice } = measureBlas({ size: 1024, seconds: 1, whole: true });
  return [
    ok("libtorch", `${torch.version()}, ${sourceOfTorch()}`),
    ok("addon", torch.nativePath()),
    ...processorFindings({
      ...{ name: cpu, cores, arch: process.arch, flags: flags(), isa: torch.isa(), amx: hasAmx() },
      libtorch: /CPU capability usage: *(\S+)/.exec(torch.buildSettings())?.[1] ?? "unknown vector units",
      asked: process.env.LYCEUM_ISA,
    }),
    memory(),
    ok("system", `${os}, ${arch}`),
    threadsFinding({
      ...{ used: threads, cores, available: availableParallelism(), quota: cpuQuota() },
      asked: process.env.OMP_NUM_THREADS,
    }),
    ok("convolutions", describeKernels()),
    hasJpeg()
      ? ok("JPEG", "decoded by libjpeg-turbo, on threads of its own")
      : warning(
          "JPEG",
          "decoded by sharp, several times slower: sudo apt-get install libjpeg-dev, then ./setup",
        ),
    cards(torch),
    processes(torch),
    transfer(torch),
    advice
      ? warning("matrix speed", advice)
      : ok("matrix speed", `${gflops.toFixed(0)} GFLOP/s (float32, 1024 x 1024)`),
  ];
}

function memory(): Finding {
  const [total, free] = [totalmem(), freemem()];
  return memoryFinding({ total, free, limit: process.constrainedMemory() });
}

/** The processor's flags, where Linux tells them. */
function flags(): string {
  try {
    return /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "";
  } catch {
    return "";
  }
}

/** Looks for graphics cards, those that this libtorch cannot use too. */
function cards({ cudaAvailable, cudaDevice, hasCudaGraphs }: typeof Torch): Finding {
  const available = cudaAvailable();
  return cardsFinding({
    available,
    card: available ? cudaDevice("cuda") : undefined,
    graphs: available && hasCudaGraphs(),
    driver: cardsOfDriver(),
  });
}

/** Says whether several processes can train one network together. */
function processes({ hasProcessGroups, hasNccl, cudaAvailable }: typeof Torch): Finding {
  if (!hasProcessGroups())
    return warning(
      "processes",
      "only one can train a network: several need Debian's libtorch with libgloo-dev, then ./setup",
    );
  const cards = hasNccl() ? ", by NCCL on cards" : cudaAvailable() ? ", not on cards (no NCCL headers)" : "";
  return ok("processes", `several can train together, by Gloo${cards}`);
}

/** Says what `lyceum transfer` can fit here. */
function transfer({ hasOperator }: typeof Torch): Finding {
  return hasOperator("lyceum::linear_svm")
    ? ok("transfer", "support vector machines by liblinear")
    : warning(
        "transfer",
        "no support vector machines without liblinear: sudo apt-get install liblinear-dev, then ./setup",
      );
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

async function checkData(): Promise<Finding[]> {
  const sets = (await findSets()).filter(({ place }) => place !== "made, not stored");
  const here = sets.filter(({ place }) => place !== null).map(({ name, place }) => ok(name, place!));
  const missing = sets.filter(({ place }) => place === null).map(({ name }) => name);
  if (here.length === 0) return [warning("data sets", "none here: npx lyceum data fetch fashion-mnist")];
  return missing.length > 0
    ? [...here, ok("not here", `${missing.join(", ")}: npx lyceum data fetch NAME`)]
    : here;
}

async function checkDisk(): Promise<Finding> {
  const { bavail, bsize } = await statfs(".");
  const free = (bavail * bsize) / 2 ** 30;
  const detail = `${free.toFixed(1)} GiB free here`;
  return free >= 1
    ? ok("disk", detail)
    : warning("disk", `only ${detail}: networks and checkpoints may not fit`);
}
