import { expect, test } from "vitest";
import { deriveSuperclasses } from "./superclasses.js";

const part = (file: string, classes: number[], superclasses: number[]) => ({
  file,
  classes: Int32Array.from(classes),
  superclasses: Int32Array.from(superclasses),
});

test("each class has the superclass of its images, over all files", () => {
  const parts = [part("train", [2, 0, 2], [1, 0, 1]), part("test", [1, 0], [1, 0])];
  expect(deriveSuperclasses(parts, 3, "")).toEqual(Int32Array.of(0, 1, 1));
});

test("a class without images leaves them unknown", () => {
  expect(deriveSuperclasses([part("train", [2, 0], [1, 0])], 3, "")).toBeUndefined();
});

test("images of one class in two superclasses are an error that names the file and the image", () => {
  const parts = [part("train.bin", [1, 0], [1, 0]), part("test.bin", [0, 1], [0, 2])];
  expect(() => deriveSuperclasses(parts, 2, "Get it again")).toThrow(
    "test.bin: image 1 of class 1 has the superclass 2, others of its class have 1. Get it again",
  );
});
