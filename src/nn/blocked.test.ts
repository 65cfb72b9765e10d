import { expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { blocked, channelsOf, isBlocked } from "./index.js";

it.each([
  ["channelsLast", 16],
  ["channelsLast", 48],
  ["contiguous", 48],
] as const)(
  "reorders %s activations of %d channels, and its gradient comes back channels-last",
  (format, channels) => {
    const x = torch.randn([2, channels, 5, 3]).contiguous(format).requiresGrad_();
    const y = blocked(x);
    expect(channelsOf(y)).toBe(channels);
    const rows = isBlocked(y) ? y.permute([0, 1, 4, 2, 3]).reshape(x.shape) : y;
    expect(rows.equal(x)).toBe(true);
    const [gradient] = torch.grad(y.square().sum(), [x]);
    expect(gradient!.equal(x.mul(2))).toBe(true);
    if (isBlocked(y)) expect(gradient!.isContiguous("channelsLast")).toBe(true);
  },
);
