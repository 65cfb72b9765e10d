/** Which of several processes this one is, by the environment that its launcher has made. */
export interface RankEnvironment {
  /** Who started the processes. */
  launcher: "torchrun" | "slurm" | "Open MPI" | "environment";
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
  /** How often the launcher has begun anew. */
  attempt: number;
}
