import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { limiter } from "./limiter.js";

it("never runs more than said, runs all in order, and passes results and failures on", async () => {
  const limited = limiter(2);
  let running = 0;
  let most = 0;
  const started: number[] = [];
  const work = (i: number) =>
    limited(async () => {
      started.push(i);
      most = Math.max(most, ++running);
      await turn();
      running--;
      if (i === 3) throw new Error("three");
      return i * i;
    });
  const settled = await Promise.allSettled([...Array(9).keys()].map(work));
  expect(most).toBe(2);
  expect(started).toEqual([...Array(9).keys()]);
  expect(settled[3]).toMatchObject({ status: "rejected", reason: { message: "three" } });
  expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(8);
  expect(await work(4)).toBe(16);
});
