/**
 * What a user's program may rely on: the names that each entry point of package.json offers, and the types of what most
 * programs use. `tsc` checks the types (`npm run check`); at run time `expectTypeOf` does nothing.
 *
 * A change here is a change for users, and belongs in the changelog. `npx vitest run src/public.test.ts -u` writes the
 * names anew.
 */
import { readFileSync } from "node:fs";
import { describe, expect, expectTypeOf, it } from "vitest";
import * as lyceum from "./index.js";
import { losses, type nn, optim, torch } from "./index.js";
import * as generated from "./torch/generated/functions.js";

const { exports } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
/** "./nn" of package.json is `lyceum/nn`, and `nn` of `lyceum`. */
const rooms = Object.keys(exports).flatMap((path) => /^\.\/(\w+)$/.exec(path)?.[1] ?? []);
/** So many that their list would hide the others; `npm run check` compares them with libtorch's schemas. */
const operators = Object.keys(generated);

it("offers these names", async () => {
  const lines = (name: string, room: object) =>
    Object.keys(room)
      .filter((offered) => !operators.includes(offered))
      .sort()
      .map((offered) => `${name} ${offered}\n`);
  const whole: Record<string, object> = lyceum;
  const all = rooms.flatMap((room) => lines(`lyceum/${room}`, whole[room]!));
  await expect([...lines("lyceum", lyceum), ...all].join("")).toMatchFileSnapshot("public-names.txt");
});

type Tensor = torch.Tensor;

describe("types", () => {
  it("of training a line", () => {
    expectTypeOf(lyceum.trainGenerations).returns.resolves.toEqualTypeOf<lyceum.RunResult>();
    expectTypeOf<lyceum.RunResult>().toMatchTypeOf<{
      directory: string | undefined;
      recipe: lyceum.Recipe;
      generations: lyceum.GenerationResult[];
      ensembles: Record<string, lyceum.EnsembleResult>;
      seconds: number;
    }>();
    expectTypeOf<lyceum.GenerationResult["generation"]>().toEqualTypeOf<number>();
    expectTypeOf<lyceum.GenerationResult["role"]>().toEqualTypeOf<"patriarch" | "student">();
    expectTypeOf<lyceum.GenerationResult["test"]["top1"]>().toEqualTypeOf<number>();
    expectTypeOf<lyceum.ProgressEvent["type"]>().toEqualTypeOf<
      | "images"
      | "start"
      | "generation-start"
      | "note"
      | "step"
      | "epoch"
      | "generation-end"
      | "end"
      | "interrupted"
    >();
    // Everything in a recipe has a default but the images, which may also be given in code.
    expectTypeOf<{ data: "cifar100" }>().toExtend<lyceum.RecipeInput>();
    expectTypeOf(lyceum.evaluateRun).parameter(0).toEqualTypeOf<string>();
    expectTypeOf(lyceum.writeReport).parameter(0).toEqualTypeOf<string>();
    expectTypeOf(lyceum.writeReport).returns.resolves.toEqualTypeOf<string>();
    expectTypeOf<lyceum.Interrupted>().toExtend<Error>();
    expectTypeOf<lyceum.RecipeError>().toExtend<Error>();
  });

  it("of a network of one's own", () => {
    class Net extends (null as unknown as abstract new () => nn.Module) {
      override forward(x: Tensor): Tensor {
        return x;
      }
    }
    expectTypeOf<(options: lyceum.models.ModelOptions) => Net>().toExtend<lyceum.ModelFactory>();
    expectTypeOf<lyceum.models.ModelOptions>().toMatchTypeOf<{
      classes: number;
      channels: number;
      generator: torch.Generator;
    }>();
    expectTypeOf<nn.Module["forward"]>().toEqualTypeOf<(x: Tensor) => Tensor>();
    expectTypeOf<ReturnType<nn.Module["parameters"]>>().toEqualTypeOf<nn.Parameter[]>();
    expectTypeOf<ReturnType<nn.Module["stateDict"]>>().toEqualTypeOf<Record<string, Tensor>>();
    expectTypeOf<nn.Parameter>().toExtend<Tensor>();
  });

  it("of losses", () => {
    type Loss<Options> = (logits: Tensor, labels: Tensor, options?: Options) => Tensor;
    expectTypeOf(losses.crossEntropy).toEqualTypeOf<Loss<{ labelSmoothing?: number }>>();
    expectTypeOf(losses.distillation).toEqualTypeOf<Loss<{ temperature?: number }>>();
    expectTypeOf(losses.topScoreDifference).toEqualTypeOf<
      (logits: Tensor, options: { k: number }) => Tensor
    >();
  });

  it("of schedules", () => {
    expectTypeOf<optim.Schedule>().toEqualTypeOf<(step: number) => number>();
    expectTypeOf(optim.cosine).returns.toEqualTypeOf<optim.Schedule>();
  });

  it("of tensors", () => {
    expectTypeOf(torch.tensor).returns.toEqualTypeOf<Tensor>();
    expectTypeOf<Tensor["shape"]>().toExtend<readonly number[]>();
    expectTypeOf<Tensor["dtype"]>().toEqualTypeOf<torch.DType>();
    expectTypeOf<ReturnType<Tensor["item"]>>().toEqualTypeOf<number>();
    expectTypeOf<Tensor["matmul"]>().toEqualTypeOf<(other: Tensor) => Tensor>();
    expectTypeOf<Tensor["grad"]>().toEqualTypeOf<Tensor | undefined>();
    expectTypeOf<Tensor>().toExtend<Disposable>();
    expectTypeOf<torch.DType>().toEqualTypeOf<
      "float32" | "float64" | "float16" | "bfloat16" | "int64" | "int32" | "uint8" | "bool"
    >();
    expectTypeOf(torch.scope<number>).returns.toEqualTypeOf<number>();
    expectTypeOf(torch.noGrad<Tensor>).returns.toEqualTypeOf<Tensor>();
  });
});
