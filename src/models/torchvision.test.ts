/** The networks that torchvision has. A further one is a line here and in fixtures/make_torchvision.py. */
import { behavesAsInTorchvision } from "./fixtures/torchvision.js";

behavesAsInTorchvision("resnet18");
behavesAsInTorchvision("resnet34");
