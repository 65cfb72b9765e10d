import { keep, type Tensor, Tensor as TensorClass, takeHandle } from "../torch/index.js";

/** A tensor that is trained: it asks for gradients, and no scope frees it. */
export class Parameter extends TensorClass {
  /** Takes `initial` over, which is disposed afterwards. */
  constructor(initial: Tensor) {
    super(takeHandle(initial));
    keep(this);
    this.requiresGrad_();
  }
}
