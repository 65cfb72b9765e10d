/** What ONNX calls each of libtorch's operators. A further one is a line in the table of its kind. */
import type { Converters } from "../operator.js";
import { normalisation } from "./normalisation.js";
import { pointwise } from "./pointwise.js";
import { pooling } from "./pooling.js";
import { products } from "./products.js";
import { reductions } from "./reduction.js";
import { shapes } from "./shape.js";

export const converters: Converters = {
  ...products,
  ...normalisation,
  ...pooling,
  ...pointwise,
  ...shapes,
  ...reductions,
};
