import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { differingFiles, endStateOf, lastWeights } from "./end-state.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lyceum-end-state-"));
  const run = join(root, "a", "generation-0");
  mkdirSync(run, { recursive: true });
  write("a", "generation-0/weights.safetensors", "weights");
  write("a", "recipe.yaml", "epochs: 3\n");
  write("a", "environment.json", "{}");
  write("a", "summary.json", '{"seconds": 3, "generations": [{"trainSeconds": 1, "test": {"top1": 0.5}}]}');
  write(
    "a",
    "metrics.jsonl",
    '{"generation":0,"epoch":1,"seconds":1,"trainLoss":2}\n{"generation":0,"epoch":2,"trainLoss":1}\n',
  );
  write("a", "report.html", "<html></html>\n");
  cpSync(join(root, "a"), join(root, "b"), { recursive: true });
  return () => rmSync(root, { recursive: true });
});
const write = (run: string, file: string, content: string) => writeFileSync(join(root, run, file), content);
const differing = () => differingFiles(endStateOf(join(root, "a")), endStateOf(join(root, "b")));

test("times, torn lines and epochs that were trained twice make no difference", () => {
  write("b", "summary.json", '{"seconds": 9, "generations": [{"trainSeconds": 7, "test": {"top1": 0.5}}]}');
  write(
    "b",
    "metrics.jsonl",
    '{"generation":0,"epoch":1,"seconds":9,"trainLoss":7}\n{"generation":0,"epo\n' +
      '{"generation":0,"epoch":1,"seconds":9,"trainLoss":2}\n{"generation":0,"epoch":2,"trainLoss":1}\n',
  );
  write("b", "environment.json", '{"resumed": []}');
  expect(differing()).toEqual([]);
});

test.each([
  ["generation-0/weights.safetensors", "weights!"],
  ["recipe.yaml", "epochs: 4\n"],
  ["summary.json", '{"seconds": 3, "generations": [{"trainSeconds": 1, "test": {"top1": 0.4}}]}'],
  ["metrics.jsonl", '{"generation":0,"epoch":1,"seconds":1,"trainLoss":2}\n'],
  ["report.html", "<html>"],
  ["generation-0/weights.safetensors.7.tmp", "half"],
])("another %s does", (file, content) => {
  write("b", file, content);
  expect(differing()).toEqual([file]);
});

test("the last generation's weights are found by number", () => {
  expect(lastWeights(endStateOf(join(root, "none")))).toBeUndefined();
  for (const generation of [2, 10]) {
    mkdirSync(join(root, "a", `generation-${generation}`));
    write("a", `generation-${generation}/weights.safetensors`, "weights");
  }
  expect(lastWeights(endStateOf(join(root, "a")))).toBe("generation-10/weights.safetensors");
});
