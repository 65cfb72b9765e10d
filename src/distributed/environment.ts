import { EnvironmentError } from "./errors.js";
import { expandHosts } from "./host-list.js";

/** Which of several processes this one is, by what its launcher left in the environment. */
export interface RankEnvironment {
  /** Who started the processes. */
  launcher: "torchrun" | "Slurm" | "Open MPI" | "the environment";
  rank: number;
  /** The number of processes. */
  size: number;
  /** This process's number among those of its machine. */
  localRank: number;
  /** The number of processes on this machine, where the launcher tells. */
  localSize?: number;
  /** The name or address of the machine that holds the store. */
  masterAddress: string;
  masterPort: number;
  /** Whether torchrun's agent holds the store. Otherwise rank 0 does. */
  agentStore: boolean;
  /** How often the launcher has started all ranks anew. */
  attempt: number;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** The port that PyTorch takes where none is given. */
const usualPort = 29500;

/**
 * Which rank this process is. Looked for are, in this order: RANK and WORLD_SIZE (torchrun, Kubernetes' training operator,
 * Lyceum's own launcher, or set by hand), Open MPI's variables, and Slurm's within a job step.
 *
 * @returns undefined where this is the only process
 * @throws EnvironmentError when variables are missing, are no numbers, or contradict each other
 */
export function groupFromEnvironment(env: Variables = process.env): RankEnvironment | undefined {
  const found = fromRank(env) ?? fromOpenMpi(env) ?? fromSlurm(env);
  if (!found) return undefined;
  check(found);
  return found.size === 1 ? undefined : found;
}

/** A whole number of 0 or more; undefined where the variable is not set. */
function numberOf(env: Variables, name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === "") return undefined;
  if (!/^\d{1,9}$/.test(text)) {
    throw new EnvironmentError(`${name}="${text}" is no whole number of 0 or more`);
  }
  return Number(text);
}

/** @throws EnvironmentError when it is not set, naming the variable whose presence asks for it */
function needed(env: Variables, name: string, because: string): number {
  const number = numberOf(env, name);
  if (number === undefined) {
    throw new EnvironmentError(
      `${because} is set, but ${name} is not: set both for a group of processes, or none for a single one`,
    );
  }
  return number;
}

function fromRank(env: Variables): RankEnvironment | undefined {
  const given = ["RANK", "WORLD_SIZE"].filter((name) => env[name] !== undefined && env[name] !== "");
  if (given.length === 0) return undefined;
  const rank = needed(env, "RANK", given[0]!);
  const size = needed(env, "WORLD_SIZE", given[0]!);
  const localSize = numberOf(env, "LOCAL_WORLD_SIZE");
  const torchrun = env.TORCHELASTIC_RUN_ID !== undefined;
  if (!torchrun) {
    agreesWith(env, { rank, size }, "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE");
    if (env.SLURM_STEP_ID !== undefined) agreesWith(env, { rank, size }, "SLURM_PROCID", "SLURM_NTASKS");
  }
  const masterAddress = env.MASTER_ADDR ?? "";
  if (masterAddress === "" && size > 1) {
    throw new EnvironmentError(
      `RANK=${rank} of WORLD_SIZE=${size}, but MASTER_ADDR is not set: it names the machine of rank 0 ` +
        "(127.0.0.1 where all ranks are on this one), and MASTER_PORT a free port there",
    );
  }
  return {
    launcher: torchrun ? "torchrun" : "the environment",
    rank,
    size,
    localRank: numberOf(env, "LOCAL_RANK") ?? (localSize === size ? rank : 0),
    ...(localSize === undefined ? {} : { localSize }),
    masterAddress,
    masterPort: numberOf(env, "MASTER_PORT") ?? usualPort,
    // torchrun always sets the variable; whether its agent holds the store is in its value, which Python wrote.
    agentStore: env.TORCHELASTIC_USE_AGENT_STORE === "True",
    attempt: numberOf(env, "TORCHELASTIC_RESTART_COUNT") ?? 0,
  };
}

/** @throws EnvironmentError when a scheduler that counts as many processes calls this one by another number */
function agreesWith(
  env: Variables,
  { rank, size }: { rank: number; size: number },
  rankName: string,
  sizeName: string,
): void {
  const theirs = numberOf(env, rankName);
  if (theirs === undefined || theirs === rank || numberOf(env, sizeName) !== size) return;
  throw new EnvironmentError(
    `RANK=${rank} contradicts ${rankName}=${theirs} of as many processes: a script has set RANK to the same value for ` +
      `all? Leave RANK and WORLD_SIZE unset, and ${rankName} counts`,
  );
}

function fromOpenMpi(env: Variables): RankEnvironment | undefined {
  const rank = numberOf(env, "OMPI_COMM_WORLD_RANK");
  if (rank === undefined) return undefined;
  const size = needed(env, "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK");
  const localSize = numberOf(env, "OMPI_COMM_WORLD_LOCAL_SIZE");
  const masterAddress = env.MASTER_ADDR || (localSize === size ? "127.0.0.1" : "");
  if (masterAddress === "" && size > 1) {
    throw new EnvironmentError(
      "Open MPI has started processes on several machines, but MASTER_ADDR is not set: " +
        "mpirun -x MASTER_ADDR=HOST passes the machine of rank 0 on to all",
    );
  }
  return {
    launcher: "Open MPI",
    rank,
    size,
    localRank: numberOf(env, "OMPI_COMM_WORLD_LOCAL_RANK") ?? 0,
    ...(localSize === undefined ? {} : { localSize }),
    masterAddress,
    masterPort: numberOf(env, "MASTER_PORT") ?? usualPort,
    agentStore: false,
    attempt: 0,
  };
}

/**
 * Slurm's variables count only within a step (srun): a batch script sees the job's number of tasks too, but is a single
 * process.
 */
function fromSlurm(env: Variables): RankEnvironment | undefined {
  const rank = numberOf(env, "SLURM_PROCID");
  if (rank === undefined || (env.SLURM_STEP_ID ?? env.SLURM_STEP_NUM_TASKS) === undefined) return undefined;
  const size = numberOf(env, "SLURM_STEP_NUM_TASKS") ?? needed(env, "SLURM_NTASKS", "SLURM_PROCID");
  if (size === 1) return undefined;
  const nodes = env.SLURM_STEP_NODELIST ?? env.SLURM_JOB_NODELIST ?? env.SLURM_NODELIST ?? "";
  let hosts: string[];
  try {
    hosts = expandHosts(nodes);
  } catch (error) {
    throw new EnvironmentError(`Slurm's list of nodes cannot be read: ${(error as Error).message}`);
  }
  const oneMachine = hosts.length === 1;
  const masterAddress = env.MASTER_ADDR || (oneMachine ? "127.0.0.1" : (hosts[0] ?? ""));
  if (masterAddress === "") {
    throw new EnvironmentError(
      "SLURM_PROCID is set, but neither SLURM_STEP_NODELIST nor MASTER_ADDR: one of them must name the machine of rank 0",
    );
  }
  return {
    launcher: "Slurm",
    rank,
    size,
    localRank: numberOf(env, "SLURM_LOCALID") ?? 0,
    ...(oneMachine ? { localSize: size } : {}),
    masterAddress,
    masterPort: numberOf(env, "MASTER_PORT") ?? portOfJob(env),
    agentStore: false,
    attempt: numberOf(env, "SLURM_RESTART_COUNT") ?? 0,
  };
}

/** A port that steps of other jobs on the same machine are not likely to take: below those that Linux gives out itself. */
function portOfJob(env: Variables): number {
  const job = Number(env.SLURM_JOB_ID ?? env.SLURM_JOBID ?? 0) || 0;
  const step = Number(env.SLURM_STEP_ID ?? 0) || 0;
  return 10_000 + ((job * 31 + step) % 20_000);
}

function check({ rank, size, localRank, localSize, masterPort, launcher }: RankEnvironment): void {
  const by = launcher === "the environment" || launcher === "torchrun" ? "" : ` (${launcher})`;
  if (size < 1) throw new EnvironmentError(`WORLD_SIZE is ${size}${by}, and must be 1 or more`);
  if (rank >= size) {
    throw new EnvironmentError(
      `RANK is ${rank} and WORLD_SIZE ${size}${by}: ranks go from 0 to WORLD_SIZE - 1, here ${size - 1}`,
    );
  }
  if (localSize !== undefined && (localRank >= localSize || localSize > size)) {
    throw new EnvironmentError(
      `LOCAL_RANK is ${localRank}, LOCAL_WORLD_SIZE ${localSize} and WORLD_SIZE ${size}${by}: local ranks go from 0 to ` +
        "LOCAL_WORLD_SIZE - 1, which is WORLD_SIZE at most",
    );
  }
  if (localSize === undefined && localRank > rank) {
    throw new EnvironmentError(`LOCAL_RANK is ${localRank}${by}, above RANK, which is ${rank}`);
  }
  if (masterPort < 1 || masterPort > 65_535) {
    throw new EnvironmentError(`MASTER_PORT is ${masterPort}${by}, and must be within 1 and 65535`);
  }
}
