import { expect, it, vi } from "vitest";

/** Everything of `src/torch` that asks the addon for something, which loads libtorch. */
const asked: string[] = [];

vi.mock("../torch/index.js", async (importOriginal) => {
  const original = await importOriginal<Record<string, unknown>>();
  const isClass = (value: unknown) => /^class\b/.test(String(value));
  const watched = Object.entries(original).map(([name, value]) => {
    if (typeof value !== "function" || isClass(value)) return [name, value];
    const watch = (...given: unknown[]) => {
      asked.push(name);
      return value(...given);
    };
    return [name, watch];
  });
  return Object.fromEntries(watched);
});

it("importing layers and models asks nothing of libtorch; making a network does", async () => {
  const nn = await import("../nn/index.js");
  const { models, createModel } = await import("./index.js");
  expect(models.length).toBeGreaterThan(0);
  expect(nn.kernels()).toBe("fast");
  expect(asked).toEqual([]);
  const torch = await import("../torch/index.js");
  createModel("resnet8", { classes: 2, channels: 1, generator: new torch.Generator(0) });
  expect(asked).not.toEqual([]);
});
