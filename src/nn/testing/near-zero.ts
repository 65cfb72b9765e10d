import * as torch from "../../torch/index.js";
import { ReLU6 } from "../index.js";

/**
 * How near to zero any value comes that goes through a ReLU while `body` runs layer by layer, and to zero or six any that goes
 * through a ReLU6. Where rounding decides which values pass, either gradient is right, and comparing two says nothing.
 */
export function nearestToZero(body: () => void): number {
  let nearest = Number.POSITIVE_INFINITY;
  const note = (x: torch.Tensor) => {
    nearest = Math.min(nearest, x.detach().abs().min().item());
  };
  const { relu, relu_ } = torch.Tensor.prototype;
  Object.assign(torch.Tensor.prototype, {
    relu(this: torch.Tensor) {
      note(this);
      return relu.call(this);
    },
    relu_(this: torch.Tensor) {
      note(this);
      return relu_.call(this);
    },
  });
  const { forward } = ReLU6.prototype;
  ReLU6.prototype.forward = function (x) {
    note(x);
    note(x.sub(6));
    return forward.call(this, x);
  };
  try {
    body();
  } finally {
    ReLU6.prototype.forward = forward;
    Reflect.deleteProperty(torch.Tensor.prototype, "relu");
    Reflect.deleteProperty(torch.Tensor.prototype, "relu_");
  }
  return nearest;
}
