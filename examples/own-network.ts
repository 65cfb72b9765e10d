// Trains a network of your own in generations, on drawn shapes, which need no download: npm run example
import { type models, nn, type torch, trainGenerations } from "lyceum";

class SmallNet extends nn.Module {
  conv1: nn.Conv2d;
  bn1 = new nn.BatchNorm2d(16);
  conv2: nn.Conv2d;
  bn2 = new nn.BatchNorm2d(64);
  fc: nn.Linear;

  constructor({ channels, classes, generator }: models.ModelOptions) {
    super();
    this.conv1 = new nn.Conv2d(channels, 16, 5, { stride: 2, padding: 2, generator });
    this.conv2 = new nn.Conv2d(16, 64, 5, { stride: 2, padding: 2, generator });
    this.fc = new nn.Linear(64, classes, { generator });
  }

  forward(images: torch.Tensor): torch.Tensor {
    const edges = this.bn1.forward(this.conv1.forward(images)).relu();
    const shapes = this.bn2.forward(this.conv2.forward(edges)).relu();
    return this.fc.forward(shapes.mean([2, 3]));
  }
}

const run = await trainGenerations(
  {
    data: { name: "synthetic", classes: 10, size: 32 },
    epochs: 10,
    generations: 3,
    schedule: { kind: "one-cycle" },
    augment: { crop: 2 },
  },
  {
    model: (options) => new SmallNet(options),
    onProgress: (event) => event.type === "epoch" && console.log(event.record),
  },
);

for (const { role, test } of run.generations) console.log(role, `${(100 * test.top1).toFixed(1)} %`);
console.log("all three together", run.ensembles["0-2"]?.test.top1);
