/** Compares the PyTorch modules of the largest networks with Lyceum's, where a python3 has torch and NumPy. */
import { describe } from "vitest";
import { comparesWithPyTorch, makeFolder, python, why } from "./testing.js";

const folder = makeFolder();

describe.skipIf(!python)(`the PyTorch modules${why}`, () => {
  comparesWithPyTorch(["resnet101", "resnet152", "wide-resnet50-2", "alexnet", "vgg16-bn"], {
    imageShape: () => [2, 66, 66],
    folder,
  });
});
