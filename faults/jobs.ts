/** The small jobs that faults strike: real trainings of a tiny network, which take a second or two, with checkpoints within epochs. */

/** The images of all jobs. */
const data = "name: synthetic, size: 8, classes: 5, channels: 1, trainCount: 96, testCount: 40";

/** Recipes by the name of the job. */
export const jobs = {
  /** A patriarch and two students. */
  plain: `data: { ${data} }
model: resnet8
patriarch: { k: 3 }
generations: 3
epochs: 3
batchSize: 16
schedule: { kind: multi-step, milestones: [2] }
threads: 1
checkpointEvery: 0.05
`,
  /** Averaged weights, mixed images, held-out ones, and students of two teachers. */
  rich: `data: { ${data}, heldOut: 0.25 }
model: resnet8
patriarch: { k: 3 }
student: { method: mean-of-teachers, generations: { last: 2 } }
generations: 3
epochs: 3
batchSize: 16
optimizer: adamw
averageWeights: { decay: 0.9 }
augment: { mixup: { alpha: 0.4 }, cutmix: { alpha: 1 } }
threads: 1
checkpointEvery: 0.05
`,
} as const;

export type JobName = keyof typeof jobs;

/** The jobs in the order in which faults take turns with them. */
export const jobNames = Object.keys(jobs) as JobName[];
