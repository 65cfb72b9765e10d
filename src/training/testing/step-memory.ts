/**
 * A program that takes training steps, and prints the MiB that its process holds at most. Its argument is the number of
 * parts in which each batch is computed.
 */
import { strict } from "../../methods/index.js";
import { resnet20 } from "../../models/index.js";
import { SGD } from "../../optim/index.js";
import * as torch from "../../torch/index.js";
import { objectiveOf, trainStep } from "../index.js";

const generator = new torch.Generator(1);
const model = resnet20.create({ classes: 10, channels: 3, generator }).to({ memoryFormat: "channelsLast" });
const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
const batch = {
  images: torch.randn([256, 3, 32, 32], { generator }).contiguous("channelsLast"),
  labels: torch.randint(0, 10, [256], { generator, dtype: "int64" }),
};
const accumulate = Number(process.argv[2]);
const learner = { model: model.train(), optimizer, objective: objectiveOf(strict, {}), accumulate };
const before = process.memoryUsage.rss() / 2 ** 20;
for (let step = 0; step < 3; step++) trainStep(learner, batch);
// maxRSS is in kilobytes.
console.log(process.resourceUsage().maxRSS / 2 ** 10 - before);
