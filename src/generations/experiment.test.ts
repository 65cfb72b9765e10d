import { expect, it } from "vitest";
import { builtIn, resolveRecipe } from "../recipe/index.js";
import { describeMethods, methodOf } from "./experiment.js";

const lineOf = (student: object) => {
  const recipe = resolveRecipe({ data: "mnist", generations: 4, student });
  return { recipe, library: builtIn };
};

it("a generation has its method's options as they are for it, however the recipe says so", () => {
  const [linear, list] = [{ from: 0.2, to: 0.6 }, [0.2, 0.4, 0.6]].map((hardWeight) =>
    lineOf({ hardWeight }),
  );
  for (const [student, hardWeight] of [0.2, 0.4, 0.6].entries()) {
    const { options } = methodOf(linear!, student + 1);
    expect(options).toEqual({ hardWeight, softWeight: 0.5, temperature: 1 });
    expect(methodOf(list!, student + 1).options).toEqual(options);
  }
});

it("a line's description tells of all students", () => {
  expect(describeMethods(lineOf({ hardWeight: { from: 0.2, to: 0.6 } }))[1]).toEqual([
    "students",
    "labels weigh 0.2 going to 0.6, the teacher 0.5, at temperature 1",
  ]);
});

it("a recipe that asks for nothing new has the options that it always had", () => {
  const { recipe } = lineOf({});
  expect(recipe.student).toEqual({
    method: "distillation",
    hardWeight: 0.5,
    softWeight: 0.5,
    temperature: 1,
  });
  expect(Object.keys(recipe.student)).toEqual(["method", "hardWeight", "softWeight", "temperature"]);
});
