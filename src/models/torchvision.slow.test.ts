/** The networks that torchvision has and that have many weights. */
import { behavesAsInTorchvision } from "./fixtures/torchvision.js";

behavesAsInTorchvision("alexnet");
behavesAsInTorchvision("vgg16-bn");
