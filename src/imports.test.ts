import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { nativePath } from "./torch/index.js";
import { bundle, start } from "./torch/testing/child.js";

/** Prints, when the process ends, the files of the addon and of libtorch that it has loaded. */
const tellLoaded = `data:text/javascript,${encodeURIComponent(`
  process.on("exit", () => {
    const { sharedObjects } = process.report.getReport();
    console.log(sharedObjects.filter((file) => /lyceum[.]node|libtorch/.test(file)).length > 0 ? "loaded" : "none");
  });
`)}`;

/** Runs a program that imports `room` as `it`, in a process of its own. */
async function run(room: string, { program = "", addon = nativePath() } = {}) {
  using child = await bundle(room);
  const script = join(child.script, "../program.mjs");
  writeFileSync(script, `import * as it from ${JSON.stringify(child.script)};\n${program}`);
  return await start(script, [], { flags: ["--import", tellLoaded], env: { LYCEUM_NATIVE: addon } }).ended;
}

it.each(["src/torch/index.ts", "src/data/index.ts", "src/losses/index.ts", "src/recipe/index.ts"])(
  "%s loads no libtorch when it is imported",
  async (room) => {
    expect(await run(room)).toMatchObject({ code: 0, stdout: "none\n", stderr: "" });
  },
);

it("the first use loads it", async () => {
  const program = "console.log(it.zeros([2]).add(1).tolist().join());";
  expect(await run("src/torch/index.ts", { program })).toMatchObject({ code: 0, stdout: "1,1\nloaded\n" });
});

it("data sets can be listed, described and drawn without it", async () => {
  const program = `
    const { train } = it.makeSynthetic({ size: 8, trainCount: 4, testCount: 1 });
    console.log(it.datasets.map(({ name }) => name).includes("cifar100"), train.count);`;
  expect(await run("src/data/index.ts", { program })).toMatchObject({ code: 0, stdout: "true 4\nnone\n" });
});

it("each use of a missing or broken addon says what to do, the second as the first", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lyceum-addon-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [missing, broken] = [join(folder, "missing.node"), join(folder, "broken.node")];
  writeFileSync(broken, "no addon");
  const program = `
    for (const use of [() => it.zeros([2]), () => it.version(), () => it.op("aten::relu", undefined)]) {
      try { use(); } catch ({ message }) { console.log(message); }
    }`;
  const lines = async (addon: string) =>
    (await run("src/torch/index.ts", { program, addon })).stdout.split("\n").slice(0, 3);
  const first = `${missing} does not exist: run ./setup (npx lyceum setup in a project), which builds it, or let LYCEUM_NATIVE name the built file`;
  expect(await lines(missing)).toEqual([first, first, first]);
  const [one, two, three] = await lines(broken);
  expect(one).toMatch(/broken\.node cannot be loaded \(.*\): run \.\/setup again/);
  expect([two, three]).toEqual([one, one]);
});
