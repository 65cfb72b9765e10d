/**
 * What rounding weights to int8 costs a trained network: its test images, answered by onnxruntime-web out of the whole file and out of
 * the rounded one. Prints a row a generation: sizes of the files, accuracies, and on how many images the best class is another.
 *
 *   npx tsc -p bench && node build/bench/probes/onnx-int8.js RUN [--root FOLDER]
 *
 * --root says where the run's images are, if not where its recipe says.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { data, loadModel, toOnnx } from "lyceum";
import { InferenceSession, Tensor } from "onnxruntime-web";
import { parse } from "yaml";

const { values: given, positionals } = parseArgs({
  options: { root: { type: "string" } },
  allowPositionals: true,
});
const [run = ""] = positionals;
const recipe = parse(readFileSync(join(run, "recipe.yaml"), "utf8"));
const { heldOut: _, ...spec } = recipe.data;
const { test, classNames } = await data.loadDataset(given.root ? { ...spec, root: given.root } : spec);
const { generations } = JSON.parse(readFileSync(join(run, "summary.json"), "utf8"));

/** The verdict of ONNX's own checker, where Debian's python3-onnx is installed. */
function verdict(bytes: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), "lyceum-int8-"));
  const file = join(folder, "network.onnx");
  writeFileSync(file, bytes);
  const script =
    "import onnx, sys\nonnx.checker.check_model(sys.argv[1], full_check=True)\nprint(onnx.__version__)";
  try {
    const version = execFileSync("/usr/bin/python3", ["-c", script, file], { encoding: "utf8" }).trim();
    return `valid, by onnx ${version}`;
  } catch (error) {
    return `not checked: ${(error as Error).message.trim().split("\n").at(-1)}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const { generation } of generations) {
  using model = await loadModel(run, { generation });
  if (model.classes.join() !== classNames.join()) throw new Error(`${run}: is of other classes`);
  const { mean, std } = model.descriptions[0]!;
  const files = [toOnnx(model), toOnnx(model, { int8: true })];
  const [whole, rounded] = [
    await InferenceSession.create(files[0]!),
    await InferenceSession.create(files[1]!),
  ];
  const right = [0, 0];
  const seconds = [0, 0];
  let [images, changed] = [0, 0];
  for await (const batch of new data.Loader(test, { mean, std, batchSize: 20 }).epoch(0)) {
    const labels = batch.labels.toTypedArray();
    const feed = {
      images: new Tensor("float32", batch.images.toTypedArray() as Float32Array, batch.images.shape),
    };
    const best: number[][] = [];
    for (const [i, session] of [whole, rounded].entries()) {
      const began = performance.now();
      const { logits } = await session.run(feed);
      seconds[i]! += (performance.now() - began) / 1000;
      best.push(bestClasses(logits!.data as Float32Array, classNames.length));
    }
    for (const [i, label] of labels.entries()) {
      images++;
      for (const side of [0, 1]) right[side]! += Number(best[side]![i] === Number(label));
      changed += Number(best[0]![i] !== best[1]![i]);
    }
    batch.images.dispose();
    batch.labels.dispose();
  }
  console.log(
    JSON.stringify({
      ...{ generation, images, bytes: files.map(({ length }) => length), checker: verdict(files[1]!) },
      top1: right.map((count) => Number((count / images).toFixed(4))),
      ...{ changed, seconds: seconds.map((each) => Number(each.toFixed(1))) },
    }),
  );
}

function bestClasses(logits: Float32Array, classes: number): number[] {
  return Array.from({ length: logits.length / classes }, (_, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    return row.indexOf(Math.max(...row));
  });
}
