/** `lyceum train --tensorboard`. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { recordsOf } from "../interop/tensorboard/testing/read.js";
import { run } from "./program.js";
import { useTerminal } from "./testing/terminal.js";

const terminal = useTerminal();
const recipe = `
data: { name: synthetic, classes: 4, size: 8, trainCount: 32, testCount: 16 }
model: resnet8
patriarch: { k: 2 }
generations: 2
epochs: 2
batchSize: 16
`;

test("writes events while it trains", async () => {
  writeFileSync("small.yaml", recipe);
  expect(await run(["train", "small.yaml", "--name", "mine", "--tensorboard"])).toBe(0);
  const folder = "runs/mine/tensorboard";
  expect(readdirSync(folder).filter((name) => name.startsWith("generation-"))).toEqual([
    "generation-0",
    "generation-1",
  ]);
  for (const generation of [0, 1]) {
    const place = join(folder, `generation-${generation}`);
    const [file] = readdirSync(place);
    // The version, the session's start, two epochs, the test's metrics, the session's end.
    expect(recordsOf(readFileSync(join(place, file!)))).toHaveLength(6);
  }
});

test("a folder that cannot be written to is told once, and the training goes on", async () => {
  writeFileSync("small.yaml", recipe);
  expect(await run(["train", "small.yaml", "--name", "mine", "--epochs", "1", "--generations", "1"])).toBe(0);
  writeFileSync("runs/mine/tensorboard", "a file in the way");
  mkdirSync("other");
  expect(await run(["train", "--resume", "mine", "--generations", "2", "--tensorboard"])).toBe(0);
  expect(terminal.out.match(/no more events for TensorBoard are written/g)).toHaveLength(1);
});
