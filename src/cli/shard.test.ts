import fc from "fast-check";
import { expect, test } from "vitest";
import { parseShard } from "./shard.js";

/** The environment of one task of `sbatch --array=FIRST-LAST:STEP`, as Slurm sets it. */
const task = (id: number, { first = 0, step = 1, count = 1 }) => ({
  SLURM_ARRAY_TASK_ID: String(id),
  SLURM_ARRAY_TASK_COUNT: String(count),
  SLURM_ARRAY_TASK_MIN: String(first),
  SLURM_ARRAY_TASK_MAX: String(first + (count - 1) * step),
  SLURM_ARRAY_TASK_STEP: String(step),
});

test("the tasks of an array are all parts, each once, wherever its indices begin and however they step", () => {
  const numbers = fc.record({
    first: fc.integer({ min: 0, max: 5000 }),
    step: fc.integer({ min: 1, max: 9 }),
    count: fc.integer({ min: 1, max: 50 }),
  });
  fc.assert(
    fc.property(numbers, ({ first, step, count }) => {
      const ids = Array.from({ length: count }, (_, i) => first + i * step);
      const shards = ids.map((id) => parseShard("auto", task(id, { first, step, count })));
      expect(shards).toEqual(ids.map((_, i) => ({ shard: i + 1, of: count })));
    }),
  );
});

test("a pod of an indexed Job is the part of its index, of as many as are given", () => {
  expect(parseShard("auto/4", { JOB_COMPLETION_INDEX: "0" })).toEqual({ shard: 1, of: 4 });
  expect(parseShard("auto/4", { JOB_COMPLETION_INDEX: "3" })).toEqual({ shard: 4, of: 4 });
});

test("a part that is given counts, whatever a scheduler says", () => {
  expect(parseShard("3/8", task(0, { count: 2 }))).toEqual({ shard: 3, of: 8 });
});

test.each<[string, NodeJS.ProcessEnv, RegExp]>([
  ["3", {}, /must look like 3\/8/],
  ["0/3", {}, /must look like 3\/8/],
  ["4/3", {}, /must look like 3\/8/],
  ["auto/0", {}, /must look like 3\/8/],
  ["auto", {}, /neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set/],
  ["auto", { JOB_COMPLETION_INDEX: "0" }, /as in --shard auto\/8/],
  ["auto/2", { JOB_COMPLETION_INDEX: "2" }, /more than 2 completions/],
  ["auto/2", { JOB_COMPLETION_INDEX: "x" }, /JOB_COMPLETION_INDEX must be a whole number, and is x/],
  ["auto/3", task(0, { count: 2 }), /the array has 2 tasks, not 3/],
  ["auto", { SLURM_ARRAY_TASK_ID: "1" }, /SLURM_ARRAY_TASK_COUNT must be a whole number, and is not set/],
  // --array=1,3,7
  ["auto", { ...task(3, { first: 1, count: 3 }), SLURM_ARRAY_TASK_MAX: "7" }, /have gaps/],
])("--shard %s is refused where the scheduler says %j", (text, env, message) => {
  expect(() => parseShard(text, env)).toThrow(message);
});
