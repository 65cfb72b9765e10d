import { expect, it } from "vitest";
import { denseNetBc40x12, resnet8, resnet18 } from "../models/index.js";
import { Linear, Sequential } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { classifierOf, divideLogits } from "./classifier.js";

const generator = new torch.Generator(3);

it.each([resnet8, denseNetBc40x12, resnet18])(
  "finds the classifier of $name, and divides its logits",
  (definition) => {
    torch.scope(() => {
      const model = definition.create({ classes: 7, channels: 3, height: 32, width: 32, generator });
      const example = torch.randn([2, 3, 32, 32], { generator });
      const options = { name: "net", classes: 7, example };
      const answer = () => torch.noGrad(() => model.eval().forward(example));
      const before = answer();
      model.train();
      const last = classifierOf(model, options);
      expect(last.weight.shape[0]).toBe(7);
      expect(model.training).toBe(true);
      expect(answer().equal(before)).toBe(true);
      divideLogits(model, 4, options);
      // To divide by a power of two rounds nothing.
      expect(answer().mul(4).equal(before)).toBe(true);
      model.dispose();
    });
  },
);

it("takes the last of several layers of that size, and refuses one whose result goes elsewhere", () => {
  torch.scope(() => {
    const layers = [1, 2].map(() => new Linear(3, 3, { generator }));
    const example = torch.randn([2, 3], { generator });
    const options = { name: "net", classes: 3, example };
    expect(classifierOf(new Sequential(...layers), options)).toBe(layers[1]);
    const turned = new (class extends Sequential {
      override forward(x: torch.Tensor) {
        return layers[0]!.forward(layers[1]!.forward(x));
      }
    })(...layers);
    const before = layers.map(({ weight }) => weight.detach().clone());
    expect(() => divideLogits(turned, 3, options)).toThrow('"net" cannot be softened');
    layers.forEach(({ weight }, i) => void expect(weight.equal(before[i]!)).toBe(true));
  });
});
