import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { arch, cpus, release, totalmem, type } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { z } from "zod";
import { schema } from "../packages.js";
import * as torch from "../torch/index.js";

/** A file whose definitions a run needs, as `--import` named it. */
export interface Import {
  /** The path of the file, as it was given. */
  file: string;
  /** The SHA-256 of the file's bytes, in hexadecimal. */
  sha256: string;
}

export const environmentSchema = schema((z) => {
  const text = z.string().max(4000);
  const imported = z.object({ file: text, sha256: z.string().regex(/^[0-9a-f]{64}$/) });
  return z.object({
    lyceum: text,
    node: text,
    libtorch: text,
    /**
     * The commit of the checkout that Lyceum runs from, with a "+" behind it when tracked files were changed.
     */
    commit: text.exactOptional(),
    machine: z.object({ cpu: text, cores: z.number(), memoryGiB: z.number(), os: text, arch: text }),
    threads: z.number(),
    /** The number of processes that train together, where there are several; the rest is of the first. */
    ranks: z.int().min(2).exactOptional(),
    /** The instructions that the kernels on the processor use: "avx512", "avx2" or "none". */
    isa: text.exactOptional(),
    device: text,
    /** The name of the graphics card, where training ran on one and the build can ask for its name. */
    card: text.exactOptional(),
    commandLine: text,
    /** The files whose definitions were imported; left out where none were. */
    imports: z.array(imported).max(100).exactOptional(),
    /** The time at which this process began to work on the run, ISO 8601. */
    date: text,
  });
});

/**
 * The software and the machine that a run was made with: enough to repeat it, or to see why that cannot be
 * done.
 */
export type Environment = z.infer<ReturnType<typeof environmentSchema>>;

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The version of this package. */
export function lyceumVersion(): string {
  return JSON.parse(readFileSync(`${root}package.json`, "utf8")).version;
}

/**
 * Describes this process and machine, at this moment.
 *
 * @param options.device where the training runs: "cpu", "cuda" or "cuda:N"
 * @param options.ranks the number of processes that train together; default: 1
 */
export async function describeEnvironment({
  device,
  ranks = 1,
}: {
  device: string;
  ranks?: number | undefined;
}): Promise<Environment> {
  const commit = await findCommit();
  const card =
    device === "cpu" || !torch.cudaAvailable() ? undefined : torch.cudaDevice(device as torch.Device);
  return {
    lyceum: lyceumVersion(),
    node: process.version,
    libtorch: torch.version(),
    ...(commit ? { commit } : {}),
    machine: describeMachine(),
    threads: torch.getNumThreads(),
    ...(ranks > 1 && { ranks }),
    isa: torch.isa(),
    device,
    ...(card ? { card: card.name } : {}),
    commandLine: process.argv.join(" ").slice(0, 4000),
    date: new Date().toISOString(),
  };
}

/** Describes the machine: processor, physical cores, memory in GiB, system and architecture. */
export function describeMachine(): Environment["machine"] {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: torch.physicalCores(),
    memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    os: distribution() ?? `${type()} ${release()}`,
    arch: arch(),
  };
}

function distribution(): string | undefined {
  try {
    return /^PRETTY_NAME="(.+)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  } catch {
    return undefined;
  }
}

/**
 * Finds the commit that Lyceum runs from, undefined where that cannot be told. Git is asked only where `.git`
 * lies in Lyceum's own folder, since an installed package may lie inside some other project's repository.
 */
async function findCommit(): Promise<string | undefined> {
  if (!existsSync(`${root}.git`)) return undefined;
  const git = (...args: string[]) =>
    promisify(execFile)("git", ["-C", root, ...args], { timeout: 5000 }).then(({ stdout }) => stdout.trim());
  try {
    const commit = await git("rev-parse", "HEAD");
    const changed = await git("status", "--porcelain", "--untracked-files=no");
    return changed === "" ? commit : `${commit}+`;
  } catch {
    return undefined;
  }
}
