/** Tests that every optimiser must pass, made as a recipe makes it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { Parameter } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { settled } from "../torch/testing/settled.js";
import { BaseOptimizer, type BaseOptions, defineOptimizer, optimizers, type Ready } from "./index.js";

it("names each once, and describes it and its options", () => {
  expect(optimizers.map(({ name }) => name)).toEqual(["sgd", "adamw"]);
  for (const { kind, summary, options } of optimizers) {
    expect(kind).toBe("optimizer");
    expect(summary).toMatch(/\.$/);
    const shape = options(z);
    expect(Object.keys(shape)[0]).toBe("learningRate");
    for (const schema of Object.values(shape)) expect(schema.description).toMatch(/\.$/);
  }
});

it("reports Nesterov's variant without momentum", () => {
  const sgd = optimizers.find(({ name }) => name === "sgd")!;
  const problems = (options: object) => sgd.check!(z.strictObject(sgd.options(z)).parse(options));
  expect(problems({ nesterov: true })).toEqual([]);
  expect(problems({ nesterov: true, momentum: 0 })).toEqual([
    { key: "nesterov", message: "needs a momentum above 0" },
  ]);
});

describe.each(optimizers)("$name", (definition) => {
  const create = (parameters: Parameter[], options: object = {}) =>
    definition.create(parameters, z.strictObject(definition.options(z)).parse(options));

  const network = () => {
    const generator = new torch.Generator(3);
    const draw = (shape: number[]) => new Parameter(torch.randn(shape, { generator }));
    return [draw([4, 3, 2, 2]), draw([4]), draw([5, 4])];
  };

  const give = (parameters: readonly Parameter[], seed: number) => {
    const generator = new torch.Generator(seed);
    for (const p of parameters) p.grad = torch.randn([...p.shape], { generator });
  };

  const lists = (tensors: readonly torch.Tensor[]) => tensors.map((tensor) => tensor.tolist());

  it("goes on from a saved file as it would have, to the bit", () => {
    const folder = mkdtempSync(join(tmpdir(), "lyceum-optimizer-"));
    try {
      const path = join(folder, "state.safetensors");
      const [a, b] = [network(), network()];
      const whole = create(a);
      for (const seed of [1, 2]) {
        give(a, seed);
        whole.step();
      }
      torch.saveSafetensors(path, whole.stateDict());
      torch.noGrad(() => {
        b.forEach((p, i) => {
          p.copy_(a[i]!);
        });
      });
      const resumed = create(b);
      resumed.loadStateDict(torch.loadSafetensors(path).tensors);
      for (const [parameters, optimizer] of [
        [a, whole],
        [b, resumed],
      ] as const) {
        give(parameters, 3);
        optimizer.learningRate = 0.01;
        optimizer.step();
      }
      expect(lists(b)).toEqual(lists(a));
      expect(lists(Object.values(resumed.stateDict()))).toEqual(lists(Object.values(whole.stateDict())));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("decays weights, and norms and biases only when asked to", () => {
    for (const decayNorm of [true, false]) {
      const parameters = network();
      const before = lists(parameters);
      for (const p of parameters) p.grad = torch.zerosLike(p);
      create(parameters, { decayNorm, weightDecay: 0.5 }).step();
      const moved = lists(parameters).map((list, i) => JSON.stringify(list) !== JSON.stringify(before[i]));
      expect(moved).toEqual([true, decayNorm, true]);
    }
  });

  it("leaves parameters without a gradient, and gradients themselves, as they were", () => {
    const parameters = network();
    const optimizer = create(parameters);
    give(parameters, 1);
    parameters[1]!.grad = undefined;
    const before = parameters[1]!.tolist();
    const gradients = lists(optimizer.gradients());
    expect(gradients).toHaveLength(2);
    optimizer.step();
    expect(parameters[1]!.tolist()).toEqual(before);
    expect(lists(optimizer.gradients())).toEqual(gradients);
    optimizer.zeroGrad();
    expect(optimizer.gradients()).toEqual([]);
    const still = lists(parameters);
    optimizer.step();
    expect(lists(parameters)).toEqual(still);
  });

  it("refuses to leave a step out by itself where it is not fused", () => {
    const optimizer = create(network());
    expect(optimizer.fused).toBe(false);
    expect(() => optimizer.step({ foundInf: torch.ones([1]) })).toThrow(TypeError);
  });

  it("holds no memory from step to step, and gives all of its own back", () => {
    const parameters = network();
    const { tensors: before } = settled();
    const optimizer = create(parameters);
    give(parameters, 1);
    optimizer.step();
    const { tensors } = settled();
    for (let i = 0; i < 20; i++) optimizer.step();
    expect(torch.memoryStats().tensors).toBe(tensors);
    optimizer.dispose();
    optimizer.zeroGrad();
    expect(settled().tensors).toBe(before);
  });
});

/** Steps by the gradient's sign alone: an optimiser without state, as a user would write one. */
class SignDescent extends BaseOptimizer {
  constructor(parameters: readonly Parameter[], options: BaseOptions) {
    super(parameters, options, { name: "sign descent" });
  }

  protected override update(ready: readonly Ready[], learningRate: number | torch.Tensor): void {
    for (const { parameter, gradient } of ready) parameter.sub_(gradient.sign().mul(learningRate as number));
  }

  override stateDict() {
    return {};
  }

  override loadStateDict() {}
}

it("takes an optimiser of one's own", () => {
  const definition = defineOptimizer({
    name: "sign-descent",
    summary: "Steps by the gradient's sign.",
    options: (z) => ({ learningRate: z.number().default(0.25).describe("The highest learning rate.") }),
    create: (parameters, options) => new SignDescent(parameters, options),
  });
  const weight = new Parameter(torch.tensor([1, 1, 1]));
  const optimizer = definition.create([weight], z.strictObject(definition.options(z)).parse({}));
  weight.grad = torch.tensor([3, -0.5, 0]);
  optimizer.step();
  expect(weight.tolist()).toEqual([0.75, 1.25, 1]);
  expect(() => new SignDescent([weight], { learningRate: 1, fused: true })).toThrow(
    "has no fused sign descent",
  );
});
