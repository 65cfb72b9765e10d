/**
 * The networks that torchvision has. A further one is a line here, or in torchvision.slow.test.ts where it has many weights, and
 * a line in fixtures/make_torchvision.py.
 */
import { behavesAsInTorchvision } from "./fixtures/torchvision.js";

behavesAsInTorchvision("resnet18");
behavesAsInTorchvision("resnet34");
behavesAsInTorchvision("resnet50");
behavesAsInTorchvision("resnext50-32x4d");
behavesAsInTorchvision("densenet121", {
  // A layer gives its channels together with those that came in; a transition pools before it convolves; the features are pooled.
  otherOutputs: /denselayer\d+$|transition\d\.conv$|^features$/,
});
behavesAsInTorchvision("mobilenet-v2");
