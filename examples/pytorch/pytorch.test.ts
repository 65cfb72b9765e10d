/** Compares the PyTorch modules beside this file with Lyceum's networks, where a python3 has torch and NumPy. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { data, models, nn, torch, trainGenerations } from "lyceum";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const here = fileURLToPath(new URL(".", import.meta.url));
const hasPackages =
  "import sys; from importlib.util import find_spec; sys.exit(not (find_spec('torch') and find_spec('numpy')))";
/** The first Python that can run the modules. Debian's packages are for its own, which may not be first on PATH. */
const python = ["python3", "/usr/bin/python3"].find(
  (command) => spawnSync(command, ["-c", hasPackages]).status === 0,
);
const why = python ? "" : " (skipped: no python3 here has torch and numpy)";

const root = mkdtempSync(join(tmpdir(), "lyceum-pytorch-"));
afterAll(() => rmSync(root, { recursive: true }));

type Logits = Record<"float32" | "float64", number[]>;

/** Runs the PyTorch modules for each folder in `folder`, and gives their logits; see logits.py. */
function askPyTorch(folder: string): Record<string, Logits> {
  const output = execFileSync(python!, ["-B", join(here, "logits.py"), folder], { maxBuffer: 2 ** 26 });
  return JSON.parse(output.toString());
}

/** Computes the root mean square of numbers, or of their differences from others. */
function size(values: readonly number[], from?: readonly number[]): number {
  const squares = values.map((value, i) => (value - (from?.[i] ?? 0)) ** 2);
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / values.length);
}

/**
 * Expects that Lyceum is no further from the exact logits than rounding explains. The measure is PyTorch's own
 * float32 error in the same logits. Winograd's convolutions have rounding errors up to about ten times as large as
 * those of direct ones (Lavin and Gray 2016), and folding batch norm rounds the weights once more: hence the factor.
 * A network that is built differently is off by the size of the logits themselves, which is about a hundred thousand
 * times as much.
 */
function expectOnlyRounding(ours: readonly number[], { float32, float64 }: Logits): void {
  expect(ours.length).toBe(float64.length);
  const unit = 2 ** -24 * size(float64);
  expect(size(ours, float64)).toBeLessThanOrEqual(32 * Math.max(size(float32, float64), unit));
}

const numbers = (tensor: torch.Tensor) => Array.from(tensor.toTypedArray(), Number);

/** Moves every tensor, running statistics too, away from a fresh network's, so that no two can be confused. */
function perturb(model: nn.Module, generator: torch.Generator): void {
  torch.noGrad(() => {
    for (const [name, tensor] of Object.entries(model.stateDict())) {
      if (tensor.dtype === "int64" || tensor.shape.length > 1) continue;
      const around = /(weight|running_var)$/.test(name) ? 1 : 0;
      tensor.uniform_(around - 0.4, around + 0.4, { generator });
    }
  });
}

it.each(models.modelNames)("docs/networks.md has a section for %s", (name) => {
  const text = readFileSync(join(here, "../../docs/networks.md"), "utf8");
  const headings = text.split("\n").filter((line) => line.startsWith("## "));
  expect(headings.filter((heading) => heading.includes(`\`${name}\``))).toHaveLength(1);
});

/** Networks of tens of millions of weights, which get fewer and smaller images. */
const large = [
  ...["wrn-28-10", "wrn-28-10-dropout", "densenet-bc-190-40", "preact-resnet18", "preact-resnet34"],
  ...["resnet50", "resnet101", "resnet152", "wide-resnet50-2", "resnext50-32x4d"],
];

/** Tests with the kernels of lesser processors go without the large ones, but for the smallest of its family. */
const names = models.modelNames.filter(
  (name) => !process.env.LYCEUM_ISA || name === "preact-resnet18" || !large.includes(name),
);

/** The sizes of the images, of which some become odd on the way: halved twice, three times, or five by the ResNets for large images. */
function imageShape(name: string): [count: number, height: number, width: number] {
  if (/^(resnet(50|101|152)|wide-resnet|resnext)/.test(name)) return [2, 38, 38];
  if (large.includes(name)) return [2, 14, 14];
  return /^resnet(18|34)$/.test(name) ? [4, 38, 38] : [4, 34, 34];
}

describe.skipIf(!python)(`the PyTorch modules${why}`, () => {
  const [classes, channels] = [7, 3];
  const ours: Record<string, { plain: number[]; folded: number[] }> = {};
  let theirs: Record<string, Logits> = {};

  beforeAll(() => {
    for (const [seed, name] of names.entries()) {
      const generator = new torch.Generator(seed);
      const model = models.createModel(name, { classes, channels, generator });
      model.to({ memoryFormat: "channelsLast" });
      perturb(model, generator);
      const [count, height, width] = imageShape(name);
      const images = torch.empty([count, channels, height, width]).normal_(0, 1, { generator });
      const folder = join(root, "models", name);
      mkdirSync(folder, { recursive: true });
      torch.saveSafetensors(join(folder, "inputs.safetensors"), { normalised: images });
      torch.saveSafetensors(join(folder, "weights.safetensors"), model.stateDict(), {
        model: name,
        channels: `${channels}`,
        classNames: JSON.stringify(Array.from({ length: classes }, (_, i) => `class ${i}`)),
        mean: JSON.stringify(Array(channels).fill(0.5)),
        std: JSON.stringify(Array(channels).fill(0.25)),
      });
      const logits = () =>
        torch.scope(() =>
          torch.noGrad(() => numbers(model.eval().forward(images.contiguous("channelsLast")))),
        );
      const plain = logits();
      nn.foldBatchNorm(model);
      ours[name] = { plain, folded: logits() };
      model.dispose();
      images.dispose();
    }
    theirs = askPyTorch(join(root, "models"));
  }, 120_000);

  it.each(names)("predict as %s does, with its weights loaded strictly", (name) => {
    expectOnlyRounding(ours[name]!.plain, theirs[name]!);
    expectOnlyRounding(ours[name]!.folded, theirs[name]!);
  });

  it("normalise a run's images as its training did, and name their classes", async () => {
    const spec = { name: "synthetic", classes: 6, size: 12, limit: { train: 128, test: 40 } };
    const directory = join(root, "run");
    await trainGenerations({ data: spec, model: "resnet8", generations: 1, epochs: 1 }, { directory });
    const { test, classNames } = await data.loadDataset(spec);
    const shape = [test.count, test.channels, test.height, test.width];
    const folder = join(directory, "generation-0");
    const images = torch.tensor(test.images, { shape });
    torch.saveSafetensors(join(folder, "inputs.safetensors"), { images });
    const { logits } = torch.loadSafetensors(join(folder, "test-logits.safetensors")).tensors;

    // The generation's folder is copied, since beside it lie files that are no networks.
    const alone = join(root, "alone");
    mkdirSync(alone);
    execFileSync("cp", ["-r", folder, alone]);
    const theirLogits = askPyTorch(alone)["generation-0"]!;
    expectOnlyRounding(numbers(logits!), theirLogits);

    const npy = join(root, "images.npy");
    writeFileSync(npy, asNpy(test.images, shape));
    const weights = join(folder, "weights.safetensors");
    const printed = execFileSync(python!, ["-B", join(here, "load.py"), weights, npy]).toString();
    const best = Array.from({ length: test.count }, (_, i) => {
      const row = theirLogits.float64.slice(i * classNames.length, (i + 1) * classNames.length);
      return classNames[row.indexOf(Math.max(...row))];
    });
    expect(
      printed
        .trim()
        .split("\n")
        .map((line) => line.split("  ")[0]),
    ).toEqual(best);
  });

  it("read a file whose checksum is right, and refuse it with a flipped bit", () => {
    const bytes = Buffer.from(Float32Array.of(1, 2).buffer);
    const sha256 = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");
    const content = [[["classNames", '["ä","b"]']], [["a", "F32", [2], sha256(bytes)]]];
    const checksum = { "lyceum.checksum": "sha256", "lyceum.sha256": sha256(JSON.stringify(content)) };
    const header = Buffer.from(
      JSON.stringify({
        __metadata__: { ...checksum, classNames: '["ä","b"]' },
        a: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
      }),
    );
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const file = join(root, "checked.safetensors");
    const read = () =>
      spawnSync(
        python!,
        ["-B", "-c", "import sys, load; print(load.read_safetensors(sys.argv[1])[0]['a'].tolist())", file],
        { cwd: here, encoding: "utf8" },
      );
    writeFileSync(file, Buffer.concat([length, header, bytes]));
    expect(read().stdout).toBe("[1.0, 2.0]\n");
    bytes[5]! ^= 1;
    writeFileSync(file, Buffer.concat([length, header, bytes]));
    expect(read()).toMatchObject({ status: 1, stderr: expect.stringContaining(`${file}: damaged`) });
  });
});

/** NumPy's file format, version 1.0, of bytes. */
function asNpy(bytes: Uint8Array, shape: readonly number[]): Uint8Array {
  const about = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`;
  const header = Buffer.from(`${about.padEnd(128 - 10 - 1)}\n`);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return Buffer.concat([Buffer.from("\x93NUMPY\x01\x00", "latin1"), length, header, bytes]);
}
