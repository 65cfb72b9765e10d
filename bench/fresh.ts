/**
 * The process that `works/fresh.ts` starts: takes a ResNet-20 student's steps and prints a line after the first step, and the
 * highest resident memory in MiB at the end. Arguments: the number of steps, the number of threads.
 */
import { readFileSync } from "node:fs";
import { methods, models, nn, optim, torch, training } from "lyceum";

const [steps, threads] = process.argv.slice(2).map(Number) as [number, number];
torch.setNumThreads(threads);
const generator = new torch.Generator(0);
const make = () =>
  models
    .createModel("resnet20", { classes: 100, channels: 3, generator })
    .to({ memoryFormat: "channelsLast" });
const teacher = nn.foldBatchNorm(make());
const student = make().train();
const optimizer = new optim.SGD(student.parameters(), {
  learningRate: 0.01,
  momentum: 0.9,
  weightDecay: 1e-4,
});
const objective = training.objectiveOf(
  methods.distillation,
  { hardWeight: 0.5, softWeight: 0.5, temperature: 1 },
  { teachers: [teacher] },
);
const batch = {
  images: torch.randn([128, 3, 32, 32], { generator }).contiguous("channelsLast"),
  labels: torch.randint(0, 100, [128], { generator, dtype: "int64" }),
};
for (let step = 0; step < steps; step++) {
  training.trainStep({ model: student, optimizer, objective }, batch);
  if (step === 0) console.log("stepped");
}
const peak = /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
console.log(String(Number(peak) / 1024));
