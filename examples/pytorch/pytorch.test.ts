/** Compares the PyTorch modules beside this file with Lyceum's networks, where a python3 has torch and NumPy. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { data, models, torch, trainGenerations } from "lyceum";
import { describe, expect, it } from "vitest";
import {
  askPyTorch,
  comparesWithPyTorch,
  expectOnlyRounding,
  here,
  type ImageShape,
  makeFolder,
  numbers,
  python,
  why,
} from "./testing.js";

const root = makeFolder();

it.each(models.modelNames)("docs/networks.md has a section for %s", (name) => {
  const text = readFileSync(join(here, "../../docs/networks.md"), "utf8");
  const headings = text.split("\n").filter((line) => line.startsWith("## "));
  expect(headings.filter((heading) => heading.includes(`\`${name}\``))).toHaveLength(1);
});

/** Networks of tens of millions of weights, which get fewer and smaller images. */
const large = [
  ...["wrn-28-10", "wrn-28-10-dropout", "densenet-bc-190-40", "preact-resnet18", "preact-resnet34"],
  ...["resnet50", "resnext50-32x4d"],
];

/** Networks whose weights take a hundred megabytes and more are compared in pytorch.slow.test.ts. */
const huge = ["resnet101", "resnet152", "wide-resnet50-2", "alexnet", "vgg16-bn"];

/** Tests with the kernels of lesser processors go without the large ones, but for the smallest of its family. */
const names = models.modelNames.filter(
  (name) =>
    !huge.includes(name) && (!process.env.LYCEUM_ISA || name === "preact-resnet18" || !large.includes(name)),
);

/** The sizes of the images, of which some become odd on the way: halved twice, three times, or five by the ResNets for large images. */
function imageShape(name: string): ImageShape {
  if (/^(resnet50|resnext)/.test(name)) return [2, 38, 38];
  if (large.includes(name)) return [2, 14, 14];
  return /^(resnet(18|34)|densenet121)$/.test(name) ? [4, 38, 38] : [4, 34, 34];
}

describe.skipIf(!python)(`the PyTorch modules${why}`, () => {
  comparesWithPyTorch(names, { imageShape, folder: join(root, "models") });

  it("normalise a run's images as its training did, and name their classes", async () => {
    const spec = { name: "synthetic", classes: 6, size: 12, limit: { train: 128, test: 40 } };
    const directory = join(root, "run");
    await trainGenerations({ data: spec, model: "resnet8", generations: 1, epochs: 1 }, { directory });
    const { test, classNames } = (await data.loadDataset(spec)) as data.Dataset;
    const shape = [test.count, test.channels, test.height, test.width];
    const folder = join(directory, "generation-0");
    const images = torch.tensor(test.images, { shape });
    torch.saveSafetensors(join(folder, "inputs.safetensors"), { images });
    const { logits } = torch.loadSafetensors(join(folder, "test-logits.safetensors")).tensors;

    // The generation's folder is copied, since beside it lie files that are no networks.
    const alone = join(root, "alone");
    mkdirSync(alone);
    execFileSync("cp", ["-r", folder, alone]);
    const theirLogits = (await askPyTorch(alone))["generation-0"]!;
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
