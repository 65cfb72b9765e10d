/** The networks that torchvision has and that have many weights. */
import { behavesAsInTorchvision } from "./fixtures/torchvision.js";

behavesAsInTorchvision("resnet101");
behavesAsInTorchvision("resnet152");
behavesAsInTorchvision("wide-resnet50-2");
behavesAsInTorchvision("alexnet");
behavesAsInTorchvision("vgg16-bn");
