import { defineModel, type models, nn, type torch } from "lyceum";

/** Two convolutions and a linear layer. It computes what `forward` says; its fields are its weights. */
class SmallNet extends nn.Module {
  readonly conv1: nn.Conv2d;
  readonly bn1 = new nn.BatchNorm2d(32);
  readonly conv2: nn.Conv2d;
  readonly bn2 = new nn.BatchNorm2d(64);
  readonly fc: nn.Linear;

  constructor({ channels, classes, generator }: models.ModelOptions) {
    super();
    this.conv1 = new nn.Conv2d(channels, 32, 3, { stride: 2, padding: 1, bias: false, generator });
    this.conv2 = new nn.Conv2d(32, 64, 3, { stride: 2, padding: 1, bias: false, generator });
    this.fc = new nn.Linear(64, classes, { generator });
  }

  /** @param images [N, channels, H, W]; @returns logits [N, classes] */
  forward(images: torch.Tensor): torch.Tensor {
    const edges = this.bn1.forward(this.conv1.forward(images)).relu();
    const shapes = this.bn2.forward(this.conv2.forward(edges)).relu();
    return this.fc.forward(shapes.mean([2, 3]));
  }
}

export const smallNet = defineModel({
  name: "small-net",
  summary: "Two convolutions of stride 2 and a linear layer.",
  construction: "3x3 convolutions without bias, batch norm and ReLU after each, mean over all pixels.",
  create: (options) => new SmallNet(options),
});
