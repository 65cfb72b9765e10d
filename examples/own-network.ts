// A network of your own, trained in generations on drawn shapes (no download): npm run example
import { type models, nn, type torch, trainGenerations } from "lyceum";

class SmallNet extends nn.Module {
  conv1: nn.Conv2d;
  conv2: nn.Conv2d;
  fc: nn.Linear;

  constructor({ channels, classes, generator }: models.ModelOptions) {
    super();
    this.conv1 = new nn.Conv2d(channels, 16, 3, { padding: 1, generator });
    this.conv2 = new nn.Conv2d(16, 32, 3, { stride: 2, padding: 1, generator });
    this.fc = new nn.Linear(32, classes, { generator });
  }

  forward(images: torch.Tensor): torch.Tensor {
    const features = this.conv2.forward(this.conv1.forward(images).relu()).relu();
    return this.fc.forward(features.mean([2, 3]));
  }
}

const run = await trainGenerations(
  { data: { name: "synthetic", classes: 10, size: 16 }, epochs: 3, generations: 3 },
  {
    model: (options) => new SmallNet(options),
    onProgress: (event) => event.type === "epoch" && console.log(event.record),
  },
);

for (const { role, test } of run.generations) console.log(role, `${(100 * test.top1).toFixed(1)} %`);
console.log("all three together", run.ensembles["0-2"]?.test.top1);
