import { expect, test } from "vitest";
import { trainGenerations } from "../generations/index.js";
import { chosen } from "./evaluate.js";
import { run } from "./program.js";
import { useTerminal } from "./testing/terminal.js";

const terminal = useTerminal();

test("ensembles of any generations, by the mean of softmax or logits, with weights", async () => {
  const data = { name: "synthetic", classes: 4, size: 8, trainCount: 32, testCount: 20 };
  const recipe = { data, model: "resnet8", epochs: 1, batchSize: 16, generations: 3, patriarch: { k: 2 } };
  await trainGenerations(recipe, { directory: "run" });
  const evaluated = async (...args: string[]) => {
    terminal.out = "";
    expect(await run(["evaluate", "run", "--json", ...args]), terminal.err).toBe(0);
    return JSON.parse(terminal.out);
  };
  const apart = await evaluated("--ensemble", "0,2");
  expect(apart.generations.map(({ generation }: { generation: number }) => generation)).toEqual([0, 2]);
  const weighted = await evaluated("--ensemble", "2,0", "--weights", "3,1", "--mean", "logits");
  const key = "2,0 mean of logits, weights 3:1";
  expect(Object.keys(weighted.ensembles)).toEqual([key]);
  expect(weighted.ensembles[key].test.nll).not.toBe(apart.ensembles["0,2"].test.nll);
  const alone = await evaluated("--ensemble", "2,0", "--weights", "1,0");
  expect(alone.ensembles["2,0 weights 1:0"].test.nll).toBeCloseTo(alone.generations[0].test.nll, 12);

  terminal.out = "";
  expect(await run(["evaluate", "run", "--ensemble", "0,2", "--mean", "logits"])).toBe(0);
  expect(terminal.out).toMatch(/^ensemble 0,2 mean of logits +\d+\.\d\d %/m);
  expect(terminal.out).toMatch(/the same as the training stored, which stored no such ensemble\n$/);

  for (const [args, problem] of [
    [["--mean", "logits"], "--mean is of an ensemble: give its generations by --ensemble"],
    [["--weights", "1,2", "--generation", "0"], "--weights is of an ensemble"],
    [["--ensemble", "0,2", "--mean", "median"], "--mean median: must be softmax or logits"],
    [["--ensemble", "0,2", "--weights", "1"], "--weights 1: must be 2 numbers of 0 or more, as 1,2"],
    [["--ensemble", "0,2", "--weights", "0,0"], "--weights 0,0: must be 2 numbers"],
    [["--ensemble", "0,2", "--weights", "1,-2"], "--weights 1,-2: must be 2 numbers"],
    [["--ensemble", "0,3"], "--ensemble 0,3: must look like 0-2 or 0,2, each generation once"],
  ] as const) {
    terminal.err = "";
    expect(await run(["evaluate", "run", ...args])).toBe(2);
    expect(terminal.err).toContain(problem);
  }
});

test("generations are all, one, or those of a set, in its order", () => {
  expect(chosen({}, 3)).toEqual([0, 1, 2]);
  expect(chosen({ generation: "1" }, 3)).toEqual([1]);
  expect(chosen({ ensemble: "1-2" }, 3)).toEqual([1, 2]);
  expect(chosen({ ensemble: "2,0" }, 3)).toEqual([2, 0]);
  for (const wrong of [{ generation: "3" }, { generation: "-1" }, { ensemble: "2-0" }, { ensemble: "1,1" }])
    expect(() => chosen(wrong, 3)).toThrow("finished");
  expect(() => chosen({ generation: "0", ensemble: "0-1" }, 3)).toThrow("not both");
});
