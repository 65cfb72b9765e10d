/** Shared by the tests of the PyTorch modules beside this file, which are compared with Lyceum's networks. */
import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { models, nn, torch } from "lyceum";
import { afterAll, beforeAll, expect, it } from "vitest";

export const here = fileURLToPath(new URL(".", import.meta.url));
const hasPackages =
  "import sys; from importlib.util import find_spec; sys.exit(not (find_spec('torch') and find_spec('numpy')))";
/** The first Python that can run the modules. Debian's packages are for its own, which may not be first on PATH. */
export const python = ["python3", "/usr/bin/python3"].find(
  (command) => spawnSync(command, ["-c", hasPackages]).status === 0,
);
export const why = python ? "" : " (skipped: no python3 here has torch and numpy)";

/** Makes a folder that is removed after the file's tests. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "lyceum-pytorch-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  return folder;
}

export type Logits = Record<"float32" | "float64", number[]>;

/** Runs the PyTorch modules for each folder in `folder`, and gives their logits; see logits.py. */
export async function askPyTorch(folder: string): Promise<Record<string, Logits>> {
  const given = ["-B", join(here, "logits.py"), folder];
  const { stdout } = await promisify(execFile)(python!, given, { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout);
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
export function expectOnlyRounding(ours: readonly number[], { float32, float64 }: Logits): void {
  expect(ours.length).toBe(float64.length);
  const unit = 2 ** -24 * size(float64);
  expect(size(ours, float64)).toBeLessThanOrEqual(32 * Math.max(size(float32, float64), unit));
}

export const numbers = (tensor: torch.Tensor) => Array.from(tensor.toTypedArray(), Number);

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

/** The numbers of images and their sizes. */
export type ImageShape = readonly [count: number, height: number, width: number];

/**
 * Compares the logits of Lyceum's networks, folded and not, with those of the PyTorch modules for the same weights.
 *
 * @param options.folder where weights and images are written, one folder a network; nothing else may lie there
 */
export function comparesWithPyTorch(
  names: readonly string[],
  { imageShape, folder: root }: { imageShape: (name: string) => ImageShape; folder: string },
): void {
  const [classes, channels] = [7, 3];
  const ours: Record<string, { plain: number[]; folded: number[] }> = {};
  let theirs: Record<string, Logits> = {};

  beforeAll(async () => {
    for (const [seed, name] of names.entries()) {
      const generator = new torch.Generator(seed);
      const model = models.createModel(name, { classes, channels, generator });
      model.to({ memoryFormat: "channelsLast" });
      perturb(model, generator);
      const [count, height, width] = imageShape(name);
      const images = torch.empty([count, channels, height, width]).normal_(0, 1, { generator });
      const folder = join(root, name);
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
      // Vitest asks now and then whether the tests still run.
      await setImmediate();
    }
    theirs = await askPyTorch(root);
  }, 240_000);

  it.each(names)("predict as %s does, with its weights loaded strictly", (name) => {
    expectOnlyRounding(ours[name]!.plain, theirs[name]!);
    expectOnlyRounding(ours[name]!.folded, theirs[name]!);
  });
}
