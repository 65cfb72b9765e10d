import { readFileSync } from "node:fs";
import { type Finding, gib, ok, warning } from "./finding.js";

/** In bytes: what a small training and its images take. */
const LITTLE = 2 * 2 ** 30;

export interface Memory {
  /** Bytes of the machine. */
  total: number;
  /** Bytes that are free, or could be at once. */
  free: number;
  /** Bytes that a control group, such as a container's, allows; undefined where there is no limit. */
  limit: number | undefined;
}

/** Says how much memory there is, and how much of it this process may use. */
export function memoryFinding({ total, free, limit }: Memory): Finding {
  const isLimited = limit !== undefined && limit > 0 && limit < total;
  const usable = isLimited ? Math.min(free, limit) : free;
  const limits = isLimited ? `; ${gib(limit)} at most for this process and its group (cgroup)` : "";
  const detail = `${gib(total)}, ${gib(free)} free${limits}`;
  if (usable >= LITTLE) return ok("memory", detail);
  const remedy =
    isLimited && limit <= free
      ? "raise the container's or the job's limit (docker run --memory, srun --mem)"
      : "end other programs";
  return warning("memory", `${detail}: little for training; ${remedy}, or a smaller batchSize`);
}

export interface Threads {
  /** Those that libtorch uses. */
  used: number;
  /** Physical cores that this process may run on. */
  cores: number;
  /** Hardware threads that this process may run on. */
  available: number;
  /** The processors' time that a control group allows, in processors; undefined where there is no limit. */
  quota: number | undefined;
  /** What `OMP_NUM_THREADS` asks for, where it is set. */
  asked: string | undefined;
}

/** Says how many threads compute, and whether the machine, or a container's share of it, has room for them. */
export function threadsFinding({ used, cores, available, quota, asked }: Threads): Finding {
  const detail = `${used} for operators; ${cores} physical core${cores === 1 ? "" : "s"}, ${available} hardware thread${available === 1 ? "" : "s"} for this process`;
  const set = asked === undefined ? "" : ` (OMP_NUM_THREADS=${asked})`;
  const most = Math.max(1, Math.floor(quota ?? available));
  const share = quota === undefined ? "" : `; a cgroup allows the time of ${Number(quota.toFixed(2))}`;
  if (used > most)
    return warning(
      "threads",
      `${detail}${share}${set}: they wait for each other; set OMP_NUM_THREADS=${most}`,
    );
  const wanted = Math.min(cores, most);
  if (used < wanted) {
    const remedy = asked === undefined ? `set OMP_NUM_THREADS=${wanted}` : "unset it";
    return warning(
      "threads",
      `${detail}${share}${set}: cores lie idle unless other programs use them; ${remedy}`,
    );
  }
  return ok("threads", `${detail}${share}${set}`);
}

/**
 * Reads which share of the processors' time Linux's control groups allow this process, the smallest of its group and those above.
 *
 * @param root the folder in which the system's files are looked for, for tests
 * @returns processors, such as 1.5; undefined where there is no limit, or none that can be read
 */
export function cpuQuota(root = ""): number | undefined {
  const read = (path: string) => {
    try {
      return readFileSync(`${root}${path}`, "utf8").trim();
    } catch {
      return undefined;
    }
  };
  const quotas: number[] = [];
  for (const line of (read("/proc/self/cgroup") ?? "").split("\n")) {
    const [, controllers = "", group = ""] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers !== "" && !controllers.split(",").includes("cpu")) continue;
    // A container sees its own group as the root, by whatever name the machine knows it.
    for (const path of aboveAndAt(group)) {
      const [quota, period] =
        controllers === ""
          ? (read(`/sys/fs/cgroup${path}/cpu.max`)?.split(" ") ?? [])
          : [
              read(`/sys/fs/cgroup/cpu${path}/cpu.cfs_quota_us`),
              read(`/sys/fs/cgroup/cpu${path}/cpu.cfs_period_us`),
            ];
      const share = Number(quota) / Number(period);
      if (share > 0 && Number.isFinite(share)) quotas.push(share);
    }
  }
  return quotas.length > 0 ? Math.min(...quotas) : undefined;
}

/** "/a/b" gives "", "/a" and "/a/b". */
function aboveAndAt(group: string): string[] {
  const parts = group.split("/").filter((part) => part !== "");
  return ["", ...parts.map((_, i) => `/${parts.slice(0, i + 1).join("/")}`)];
}
