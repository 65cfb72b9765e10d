import { describe, expect, it } from "vitest";
import { EnvironmentError, groupFromEnvironment } from "./index.js";

const torchrun = {
  RANK: "3",
  WORLD_SIZE: "4",
  LOCAL_RANK: "1",
  LOCAL_WORLD_SIZE: "2",
  MASTER_ADDR: "node1",
  MASTER_PORT: "41234",
  TORCHELASTIC_RUN_ID: "none",
  TORCHELASTIC_RESTART_COUNT: "2",
  TORCHELASTIC_USE_AGENT_STORE: "True",
};
const slurm = {
  SLURM_JOB_ID: "100",
  SLURM_STEP_ID: "0",
  SLURM_PROCID: "5",
  SLURM_LOCALID: "1",
  SLURM_NTASKS: "8",
  SLURM_STEP_NUM_TASKS: "8",
  SLURM_JOB_NODELIST: "node[01-04]",
};
const openMpi = {
  OMPI_COMM_WORLD_RANK: "1",
  OMPI_COMM_WORLD_SIZE: "2",
  OMPI_COMM_WORLD_LOCAL_RANK: "1",
  OMPI_COMM_WORLD_LOCAL_SIZE: "2",
};

describe("who this process is", () => {
  it.each([
    ["nothing is set", {}, undefined],
    ["one process", { RANK: "0", WORLD_SIZE: "1" }, undefined],
    [
      "torchrun, whose agent holds the store",
      torchrun,
      {
        launcher: "torchrun",
        rank: 3,
        size: 4,
        localRank: 1,
        localSize: 2,
        masterAddress: "node1",
        masterPort: 41234,
        agentStore: true,
        attempt: 2,
      },
    ],
    [
      "torchrun, whose agent holds no store: the value of the variable counts",
      { ...torchrun, TORCHELASTIC_USE_AGENT_STORE: "False" },
      { rank: 3, agentStore: false },
    ],
    [
      "set by hand",
      { RANK: "1", WORLD_SIZE: "2", MASTER_ADDR: "10.0.0.1" },
      {
        launcher: "the environment",
        rank: 1,
        size: 2,
        localRank: 0,
        masterAddress: "10.0.0.1",
        masterPort: 29500,
        agentStore: false,
        attempt: 0,
      },
    ],
    [
      "set by hand on one machine, without LOCAL_RANK",
      { RANK: "1", WORLD_SIZE: "2", LOCAL_WORLD_SIZE: "2", MASTER_ADDR: "127.0.0.1" },
      { localRank: 1, localSize: 2 },
    ],
    [
      "Slurm on several machines: the first of the list holds the store",
      slurm,
      {
        launcher: "Slurm",
        rank: 5,
        size: 8,
        localRank: 1,
        masterAddress: "node01",
        masterPort: 10_000 + 3100,
        agentStore: false,
        attempt: 0,
      },
    ],
    [
      "Slurm on one machine",
      { ...slurm, SLURM_STEP_NODELIST: "node03", SLURM_RESTART_COUNT: "1" },
      { localSize: 8, masterAddress: "127.0.0.1", attempt: 1 },
    ],
    [
      "Slurm with an address of one's own",
      { ...slurm, MASTER_ADDR: "ib01", MASTER_PORT: "7" },
      { masterAddress: "ib01", masterPort: 7 },
    ],
    [
      "a step of the job with fewer tasks",
      { ...slurm, SLURM_PROCID: "1", SLURM_STEP_NUM_TASKS: "2" },
      { size: 2 },
    ],
    [
      "a batch script, which is no step",
      { ...slurm, SLURM_STEP_ID: undefined, SLURM_STEP_NUM_TASKS: undefined },
      undefined,
    ],
    ["a job array's task", { ...slurm, SLURM_PROCID: "0", SLURM_STEP_NUM_TASKS: "1" }, undefined],
    [
      "torchrun within a step of Slurm",
      { ...slurm, ...torchrun, SLURM_NTASKS: "4" },
      { launcher: "torchrun", rank: 3 },
    ],
    [
      "Open MPI on one machine",
      openMpi,
      {
        launcher: "Open MPI",
        rank: 1,
        size: 2,
        localRank: 1,
        localSize: 2,
        masterAddress: "127.0.0.1",
        masterPort: 29500,
      },
    ],
    [
      "mpirun within Slurm, whose own tasks are mpirun's helpers",
      { ...slurm, ...openMpi },
      { launcher: "Open MPI", rank: 1 },
    ],
    [
      "Open MPI on several machines",
      { ...openMpi, OMPI_COMM_WORLD_LOCAL_SIZE: "1", OMPI_COMM_WORLD_LOCAL_RANK: "0", MASTER_ADDR: "a" },
      { masterAddress: "a", localSize: 1 },
    ],
  ])("%s", (_, env, expected) => {
    const found = groupFromEnvironment(env as Record<string, string>);
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject(expected);
  });
});

describe("what is half-set or contradicts itself is refused", () => {
  const byHand = { RANK: "0", WORLD_SIZE: "2", MASTER_ADDR: "a" };
  it.each([
    ["RANK is set, but WORLD_SIZE is not", { RANK: "0" }],
    ["WORLD_SIZE is set, but RANK is not", { WORLD_SIZE: "2" }],
    ["RANK=0 of WORLD_SIZE=2, but MASTER_ADDR is not set", { RANK: "0", WORLD_SIZE: "2" }],
    ['RANK="-1" is no whole number', { ...byHand, RANK: "-1" }],
    ['WORLD_SIZE="two" is no whole number', { ...byHand, WORLD_SIZE: "two" }],
    ["RANK is 2 and WORLD_SIZE 2: ranks go from 0 to WORLD_SIZE - 1, here 1", { ...byHand, RANK: "2" }],
    ["WORLD_SIZE is 0", { ...byHand, WORLD_SIZE: "0" }],
    ["LOCAL_RANK is 2, LOCAL_WORLD_SIZE 2", { ...byHand, LOCAL_RANK: "2", LOCAL_WORLD_SIZE: "2" }],
    ["LOCAL_RANK is 0, LOCAL_WORLD_SIZE 4 and WORLD_SIZE 2", { ...byHand, LOCAL_WORLD_SIZE: "4" }],
    ["LOCAL_RANK is 1, above RANK, which is 0", { ...byHand, LOCAL_RANK: "1" }],
    ["MASTER_PORT is 70000", { ...byHand, MASTER_PORT: "70000" }],
    [
      "RANK=0 contradicts SLURM_PROCID=1",
      { ...byHand, SLURM_STEP_ID: "0", SLURM_PROCID: "1", SLURM_NTASKS: "2" },
    ],
    ["RANK=0 contradicts OMPI_COMM_WORLD_RANK=1", { ...openMpi, ...byHand }],
    ["OMPI_COMM_WORLD_RANK is set, but OMPI_COMM_WORLD_SIZE is not", { OMPI_COMM_WORLD_RANK: "0" }],
    [
      "mpirun -x MASTER_ADDR=HOST",
      { ...openMpi, OMPI_COMM_WORLD_LOCAL_SIZE: "1", OMPI_COMM_WORLD_LOCAL_RANK: "0" },
    ],
    ["SLURM_PROCID is set, but SLURM_NTASKS is not", { SLURM_PROCID: "0", SLURM_STEP_ID: "0" }],
    ["neither SLURM_STEP_NODELIST nor MASTER_ADDR", { ...slurm, SLURM_JOB_NODELIST: undefined }],
    ["has a bracket without its partner", { ...slurm, SLURM_JOB_NODELIST: "node[1" }],
  ])("%s", (message, env) => {
    const found = () => groupFromEnvironment(env as Record<string, string>);
    expect(found).toThrow(EnvironmentError);
    expect(found).toThrow(message);
  });
});
