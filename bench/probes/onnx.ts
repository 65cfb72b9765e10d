/**
 * Writes every network that a recipe can name as ONNX, and lets others judge the files: ONNX's own checker (Debian's
 * python3-onnx, where it is installed), and onnxruntime-web, which answers the same images. Prints a row a network: the file's
 * size, the checker's verdict, the largest difference from Lyceum's own logits as a share of the largest logit, and images a
 * second of both, in turns, least of `--rounds`, with as many threads as onnxruntime-web takes in Node: one.
 *
 *   npx tsc -p bench && node build/bench/probes/onnx.js [--rounds 5] [--out results/onnx/networks.json] [NETWORK…]
 *
 * Networks that the file has already are kept as they are, so that the work can be done in pieces.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { interop, models, nn, torch } from "lyceum";
import { InferenceSession, Tensor } from "onnxruntime-web";

const { values: given, positionals } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, out: { type: "string" } },
  allowPositionals: true,
});
const rounds = Number(given.rounds);
/** Networks for photographs; all others take images of 32 x 32 pixels. */
const photographs =
  /^(resnet(18|34|50|101|152)|wide-resnet50-2|resnext50.*|alexnet|vgg16-bn|densenet121|mobilenet-v2)$/;

interface Row {
  network: string;
  pixels: number;
  classes: number;
  megabytes: number;
  checker: string;
  largestDifference: number;
  imagesPerSecond: { onnxruntimeWeb: number; lyceum: number };
}

function check(file: string): string {
  const script =
    "import onnx, sys\nonnx.checker.check_model(sys.argv[1], full_check=True)\nprint('valid, by onnx ' + onnx.__version__)";
  try {
    return execFileSync("/usr/bin/python3", ["-c", script, file], { encoding: "utf8" }).trim();
  } catch (error) {
    return `not checked: ${String((error as { stderr?: string }).stderr ?? error)
      .trim()
      .split("\n")
      .at(-1)}`;
  }
}

/** The least of some durations, in seconds. */
async function least(run: () => unknown): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    await run();
    best = Math.min(best, (performance.now() - began) / 1000);
  }
  return best;
}

async function measure(network: string): Promise<Row> {
  const pixels = photographs.test(network) ? 224 : 32;
  const classes = pixels === 224 ? 1000 : 100;
  const count = pixels === 224 ? 2 : 16;
  const generator = new torch.Generator(0);
  const model = models.createModel(network, {
    classes,
    channels: 3,
    generator,
    height: pixels,
    width: pixels,
  });
  torch.noGrad(() => {
    for (const module of model.namedModules().values()) {
      if (!(module instanceof nn.BatchNorm2d)) continue;
      module.runningMean.normal_(0, 0.1, { generator });
      module.runningVar.uniform_(0.5, 1.5, { generator });
      module.weight.uniform_(0.5, 1.5, { generator });
      module.bias.normal_(0, 0.1, { generator });
    }
  });
  model.to({ memoryFormat: "channelsLast" });
  nn.foldBatchNorm(model);
  const bytes = interop.exportOnnx([model], {
    size: { channels: 3, height: pixels, width: pixels },
    classes,
    version: "bench",
  });
  const folder = mkdtempSync(join(tmpdir(), "lyceum-onnx-"));
  const file = join(folder, `${network}.onnx`);
  writeFileSync(file, bytes);
  const checker = check(file);
  rmSync(folder, { recursive: true });

  const images = torch.randn([count, 3, pixels, pixels], { generator });
  const values = images.toTypedArray() as Float32Array;
  const lastChannels = images.contiguous("channelsLast");
  const answer = () => torch.scope(() => torch.noGrad(() => model.forward(lastChannels).toTypedArray()));
  const session = await InferenceSession.create(bytes);
  const feed = { images: new Tensor("float32", values, images.shape) };
  const found = (await session.run(feed)).logits!.data as Float32Array;
  const own = answer() as Float32Array;
  const largest = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const difference = own.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i]!)), 0);
  const theirs = await least(() => session.run(feed));
  const ours = await least(answer);
  await session.release();
  model.dispose();
  return {
    ...{ network, pixels, classes, megabytes: Number((bytes.length / 1e6).toFixed(2)), checker },
    largestDifference: Number((difference / largest).toPrecision(2)),
    imagesPerSecond: {
      onnxruntimeWeb: Number((count / theirs).toPrecision(3)),
      lyceum: Number((count / ours).toPrecision(3)),
    },
  };
}

torch.setNumThreads(1);
const before: { rows: Row[] } =
  given.out && existsSync(given.out) ? JSON.parse(readFileSync(given.out, "utf8")) : { rows: [] };
const rows = [...before.rows];
for (const network of positionals.length > 0 ? positionals : models.modelNames) {
  if (rows.some((row) => row.network === network)) continue;
  const row = await measure(network);
  rows.push(row);
  console.log(JSON.stringify(row));
  if (given.out) {
    const machine = `${cpus()[0]?.model}, ${cpus().length} cores, ISA ${torch.isa()}`;
    const date = new Date().toISOString().slice(0, 10);
    const command = "node build/bench/probes/onnx.js";
    writeFileSync(given.out, `${JSON.stringify({ command, machine, date, rows }, null, 2)}\n`);
  }
}
