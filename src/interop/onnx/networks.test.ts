/** One network of each kind of layers; `bench/probes/onnx.ts` tries every network that a recipe can name. */
import { answersAsOnnx } from "./testing/zoo.js";

answersAsOnnx("resnet8", 32);
answersAsOnnx("wrn-16-2", 32);
answersAsOnnx("densenet-bc-40-12", 32);
answersAsOnnx("mobilenet-v2", 64);
answersAsOnnx("resnext50-32x4d", 64);
