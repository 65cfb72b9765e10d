import type { z } from "zod";
import { datasetNames } from "../data/sets/index.js";
import { toleranceToHardWeight, toleranceToPrimaryScore } from "../losses/tolerance.js";
import { modelNames } from "../models/index.js";
import { schema } from "../packages.js";

/** Which sets an option belongs to, where not to all. */
const ownOptions = {
  labels: ["cifar100", "synthetic"],
  classes: ["synthetic"],
  size: ["synthetic"],
  channels: ["synthetic"],
  trainCount: ["synthetic"],
  testCount: ["synthetic"],
  noise: ["synthetic"],
};

/** An experiment: all that decides what `trainGenerations` does. What a recipe does not say has a default here. */
export const recipeSchema = schema((z) => {
  const fraction = z.number().min(0).max(1);
  const count = z.int().min(1);
  const weight = z.number().min(0).max(1e6);

  /** An option that only the synthetic set has. */
  function synthetic<T extends z.ZodType>(value: T, description: string) {
    return z.exactOptional(value).describe(`Of the synthetic set: ${description}`);
  }

  const dataOptions = z.strictObject({
    name: z.string().min(1).meta({ enum: datasetNames }).describe("The data set."),
    root: z
      .string()
      .min(1)
      .exactOptional()
      .describe(
        "The folder, or the archive, that holds the set. Default: where `npx lyceum data fetch` puts it.",
      ),
    labels: z
      .enum(["fine", "coarse"])
      .exactOptional()
      .describe(
        "Of CIFAR-100 and the synthetic set: the classes or the families that they form. Default: fine.",
      ),
    limit: z
      .strictObject({
        train: count.exactOptional().describe("At most so many training images. Default: all."),
        test: count.exactOptional().describe("At most so many test images. Default: all."),
      })
      .exactOptional()
      .describe("Use only a part of the images, for quick trials. Default: all of them."),
    heldOut: z
      .number()
      .min(0)
      .max(0.5)
      .default(0)
      .describe("Fraction of the training images kept from training, of each class, to make choices on."),
    classes: synthetic(z.int().min(2).max(1000), "how many classes, in families of 5. Default: 10."),
    size: synthetic(z.int().min(8).max(256), "height and width in pixels. Default: 32."),
    channels: synthetic(z.union([z.literal(1), z.literal(3)]), "1 for grey, 3 for colour. Default: 3."),
    trainCount: synthetic(count, "training images. Default: 4000, or 50 a class when that is more."),
    testCount: synthetic(count, "test images. Default: 1000, or 20 a class when that is more."),
    noise: synthetic(fraction, "standard deviation of the noise on each value, of 1. Default: 0.15."),
  });

  const data = z
    .union([z.string().min(1).meta({ enum: datasetNames }), dataOptions])
    .transform((value) => (typeof value === "string" ? dataOptions.parse({ name: value }) : value))
    .describe("The data set: its name, or its name with options. The one key that has no default.");

  const patriarch = z
    .union([
      z.literal("strict"),
      z.strictObject({
        k: z
          .int()
          .min(2)
          .default(5)
          .describe(
            "How many classes share the score, the best one included; at most the number of classes.",
          ),
        primaryScore: z
          .number()
          .meta({ exclusiveMinimum: 0, exclusiveMaximum: 1 })
          .exactOptional()
          .describe("The score that the best class shall keep, the more tolerant the lower. Default: 0.8."),
        hardWeight: fraction
          .exactOptional()
          .describe("Weight of cross-entropy against the top score difference; instead of primaryScore."),
      }),
    ])
    .transform((value, context) => {
      if (value === "strict") return value;
      const { k, primaryScore, hardWeight } = value;
      if (hardWeight === undefined) return { k, primaryScore: primaryScore ?? 0.8 };
      if (primaryScore === undefined) return { k, hardWeight };
      context.addIssue("give primaryScore or hardWeight, not both: the one follows from the other");
      return z.NEVER;
    })
    .describe('How tolerant the first network is; "strict" trains it on the labels alone.');

  const student = z.strictObject({
    hardWeight: weight.default(0.5).describe("Weight of the labels (cross-entropy)."),
    softWeight: weight
      .default(0.5)
      .describe("Weight of the teacher (Kullback-Leibler divergence from its scores)."),
    temperature: z
      .number()
      .min(0.01)
      .max(1000)
      .default(1)
      .describe("Softens the scores of both, teacher and student; that loss is multiplied by its square."),
  });

  const optimizer = z.strictObject({
    learningRate: z
      .number()
      .positive()
      .max(1000)
      .default(0.1)
      .describe("The highest learning rate of the schedule."),
    momentum: z.number().min(0).lt(1).default(0.9).describe("Momentum of stochastic gradient descent."),
    nesterov: z.boolean().default(false).describe("Nesterov's momentum."),
    weightDecay: z.number().min(0).max(1).default(1e-4).describe("L2 penalty, added to the gradient."),
    decayNorm: z
      .boolean()
      .default(true)
      .describe("Weight decay on batch norm and biases too, as the papers do."),
  });

  const warmupEpochs = z
    .int()
    .min(0)
    .default(0)
    .describe("Epochs over which the rate first grows, in a line.");

  const schedule = z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("multi-step"),
      milestones: z
        .array(z.union([z.number().gt(0).lt(1), z.int().min(1)]))
        .max(100)
        .default([0.5, 0.75])
        .describe(
          "When the rate drops: below 1 a fraction of the training, from 1 on the epochs done by then.",
        ),
      gamma: z
        .number()
        .positive()
        .max(1)
        .default(0.1)
        .describe("What the rate is multiplied by at a milestone."),
      warmupEpochs,
    }),
    z.strictObject({
      kind: z.literal("cosine"),
      finalFraction: fraction.default(0).describe("The last rate, as a fraction of the highest."),
      warmupEpochs,
    }),
    z.strictObject({
      kind: z.literal("one-cycle"),
      peakAt: z
        .number()
        .gt(0)
        .lt(1)
        .default(0.3)
        .describe("Fraction of the training at which the rate is highest."),
      startFraction: fraction.default(0.04).describe("The first rate, as a fraction of the highest."),
      finalFraction: fraction.default(0).describe("The last rate, as a fraction of the highest."),
    }),
  ]);

  const augment = z.strictObject({
    crop: z
      .int()
      .min(0)
      .max(64)
      .default(4)
      .describe("Pixels of padding around the image before a random crop."),
    flip: z.boolean().default(true).describe("Mirror half of the images left to right, at random."),
  });

  return z
    .strictObject({
      title: z
        .string()
        .min(1)
        .max(200)
        .exactOptional()
        .describe("What the report is called. Default: the file's name."),
      description: z.string().max(500).exactOptional().describe("One line for `npx lyceum recipes`."),
      data,
      model: z.string().min(1).default("resnet20").meta({ enum: modelNames }).describe("The network."),
      patriarch: patriarch.prefault({}),
      student: student
        .prefault({})
        .describe("What every later network learns from; the weights need not sum to 1."),
      generations: z
        .int()
        .min(1)
        .max(100)
        .default(3)
        .describe("Networks in the line, the patriarch included."),
      epochs: z
        .int()
        .min(1)
        .max(100_000)
        .default(164)
        .describe("Passes over the training images, per network."),
      batchSize: z.int().min(1).max(65_536).default(128).describe("Images per step."),
      optimizer: optimizer.prefault({}).describe("Stochastic gradient descent."),
      schedule: schedule
        .prefault({ kind: "multi-step" })
        .describe("How the learning rate goes through the training."),
      augment: augment
        .prefault({})
        .describe("Random changes to the training images, the same for teacher and student."),
      seed: z
        .int()
        .min(0)
        .max(2 ** 32 - 1)
        .default(0)
        .describe("Decides first weights, order and crops: same machine, same seed, same bits."),
      device: z
        .string()
        .regex(/^(cpu|cuda(:\d{1,2})?)$/)
        .default("cpu")
        .describe('Where to train: "cpu", "cuda" or "cuda:1".'),
      precision: z
        .enum(["float32", "bfloat16", "float16"])
        .default("float32")
        .describe(
          "What activations are computed in while training. bfloat16 keeps 8 bits and is faster where the " +
            "processor has units for it (AMX, GPUs); float16 keeps 11, with scaled gradients, on GPUs only; weights, losses " +
            "and evaluation stay float32.",
        ),
      kernels: z
        .enum(["fast", "exact", "libtorch"])
        .default("fast")
        .describe(
          "What computes: on the CPU Lyceum's own operators, fast or with convolutions that round as the definition does, " +
            "or none but libtorch's; on a GPU each step as one CUDA graph, with the fastest convolutions or with those that " +
            "give the same bits every time, or step by step.",
        ),
      threads: z
        .int()
        .min(1)
        .max(1024)
        .exactOptional()
        .describe("CPU threads. Default: one per physical core."),
    })
    .superRefine((recipe, context) => {
      const complain = (path: PropertyKey[], message: string) =>
        context.addIssue({ code: "custom", path, message });
      for (const [key, owners] of Object.entries(ownOptions)) {
        const { name } = recipe.data;
        if (recipe.data[key as keyof typeof ownOptions] !== undefined && !owners.includes(name))
          complain(
            ["data", key],
            `only ${owners.join(" and ")} ${owners.length > 1 ? "have" : "has"} this, not ${name}`,
          );
      }
      for (const { path, message } of toleranceProblems(recipe.patriarch, classCount(recipe.data))) {
        complain(["patriarch", ...path], message);
      }
      if (recipe.student.hardWeight + recipe.student.softWeight === 0)
        complain(["student"], "hardWeight and softWeight are both 0: there is nothing to learn from");
      if (recipe.precision === "float16" && recipe.device === "cpu")
        complain(
          ["precision"],
          "float16 needs a GPU, --device cuda; processors have units for bfloat16 at most",
        );
      const { schedule, epochs } = recipe;
      if ("warmupEpochs" in schedule && schedule.warmupEpochs >= epochs)
        complain(
          ["schedule", "warmupEpochs"],
          `must be less than the ${epochs} epochs, given ${schedule.warmupEpochs}`,
        );
      if (schedule.kind === "multi-step") {
        const ends = schedule.milestones.map((at) => (at < 1 ? at * epochs : at));
        if (ends.some((end, i) => end >= epochs || (i > 0 && end <= ends[i - 1]!)))
          complain(
            ["schedule", "milestones"],
            `must grow and stay below the ${epochs} epochs, given ${JSON.stringify(schedule.milestones)}; below 1 they ` +
              "are shares of the epochs: --set schedule.milestones=[0.5,0.75]",
          );
      }
    })
    .meta({ title: "Lyceum recipe" });
});

/** A recipe with all defaults filled in. */
export type Recipe = z.output<ReturnType<typeof recipeSchema>>;

/** A recipe as a person writes it: only `data` must be given. */
export type RecipeInput = z.input<ReturnType<typeof recipeSchema>>;

/** How many classes a data set has, where its name tells. */
export function classCount(data: Recipe["data"]): number | undefined {
  switch (data.name) {
    case "fashion-mnist":
    case "mnist":
    case "cifar10":
      return 10;
    case "cifar100":
      return data.labels === "coarse" ? 20 : 100;
    case "synthetic":
      return data.labels === "coarse" ? Math.ceil((data.classes ?? 10) / 5) : (data.classes ?? 10);
    default:
      return undefined;
  }
}

/** How tolerant a patriarch is, both ways of saying it; undefined for a strict one. */
export function tolerance(
  patriarch: Recipe["patriarch"],
): { k: number; hardWeight: number; primaryScore: number } | undefined {
  if (patriarch === "strict") return undefined;
  return {
    k: patriarch.k,
    hardWeight: toleranceToHardWeight(patriarch),
    primaryScore: toleranceToPrimaryScore(patriarch),
  };
}

function toleranceProblems(patriarch: Recipe["patriarch"], classes: number | undefined) {
  if (patriarch === "strict") return [];
  const { k } = patriarch;
  if (classes !== undefined && k > classes)
    return [{ path: ["k"], message: `must be at most ${classes}, the number of classes, given ${k}` }];
  try {
    tolerance(patriarch);
    return [];
  } catch (error) {
    return [
      {
        path: ["hardWeight" in patriarch ? "hardWeight" : "primaryScore"],
        message: String((error as Error).message),
      },
    ];
  }
}
