import type { z } from "zod";
import { defaultAugment } from "../data/index.js";
import { optionsAt, teachersOf } from "../methods/index.js";
import { schema, type Z } from "../packages.js";
import { augmentProblems, augmentSchema, mixingOf } from "./augment-schema.js";
import { choiceOf } from "./choice.js";
import { dataSchema } from "./data-schema.js";
import { completeFineTune, fineTuneProblems, fineTuneSchema } from "./fine-tune.js";
import { builtIn, type Library } from "./library.js";
import type { Recipe, RecipeData } from "./types.js";

/** Reports a problem at a path of the recipe. */
type Complain = (path: PropertyKey[], message: string) => void;

const schemas = new WeakMap<Library, () => z.ZodType<Recipe>>();

/**
 * Gives the schema of recipes, which is put together from the definitions in a library and made once for
 * each. It checks a recipe and fills in the defaults, which stand here or in the definitions.
 */
export function recipeSchema(library: Library = builtIn): z.ZodType<Recipe> {
  let made = schemas.get(library);
  if (!made) {
    made = schema((z) => schemaOf(z, library));
    schemas.set(library, made);
  }
  return made();
}

function schemaOf(z: Z, library: Library): z.ZodType<Recipe> {
  const methods = library.all("method");

  const optimizer = choiceOf(z, { tag: "kind", members: library.all("optimizer"), usual: "sgd" });
  const schedule = choiceOf(z, { tag: "kind", members: library.all("schedule"), usual: "multi-step" });

  const averageWeights = z
    .strictObject({
      decay: z
        .number()
        .gt(0)
        .lt(1)
        .exactOptional()
        .describe(
          "The share of itself that the average keeps at each step; it is smaller in the first steps. Default: 0.999, " +
            "unless from is given.",
        ),
      from: z
        .number()
        .min(0)
        .lt(1)
        .exactOptional()
        .describe(
          "Given instead of decay: the equal mean of the weights after each epoch that comes after this fraction of the " +
            "epochs (stochastic weight averaging, Izmailov et al. 2018). The statistics of batch norm are then computed anew on " +
            "all training images of one more epoch; until then, validation is of the weights in training. Default: none.",
        ),
    })
    .superRefine(({ decay, from }, context) => {
      if (decay === undefined || from === undefined) return;
      const message =
        "decay and from are both given: decay averages after each step, from after each epoch of the tail; give one of them";
      context.addIssue({ code: "custom", message });
    })
    .transform(({ decay = 0.999, from }) => (from === undefined ? { decay } : { from }));

  return z
    .strictObject({
      title: z
        .string()
        .min(1)
        .max(200)
        .exactOptional()
        .describe("The title of the report. Default: the file's name."),
      description: z.string().max(500).exactOptional().describe("One line for `npx lyceum recipes`."),
      data: dataSchema(z, library),
      model: z
        .string()
        .min(1)
        .default("resnet20")
        .meta({ enum: library.all("model").map(({ name }) => name) })
        .describe("The network."),
      patriarch: choiceOf(z, { tag: "method", members: methods, usual: "top-score-difference" })
        .prefault({})
        .describe(
          "What the first network learns from: a method without a teacher. Without a name, options are those of " +
            "top-score-difference, which says how tolerant it is; strict trains it on the labels alone.",
        ),
      student: choiceOf(z, { tag: "method", members: methods, usual: "distillation" })
        .prefault({})
        .describe(
          "What every later network learns from. Without a name, options are those of distillation; its weights need " +
            "not sum to 1.",
        ),
      fineTune: fineTuneSchema(z).exactOptional(),
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
      validateEvery: z
        .int()
        .min(1)
        .max(100_000)
        .exactOptional()
        .describe(
          "Epochs from one evaluation on held-out images to the next; the last epoch always has one. Default: 1.",
        ),
      checkpointEvery: z
        .number()
        .min(0)
        .max(86_400)
        .exactOptional()
        .describe(
          "Seconds from one checkpoint to the next within an epoch; each epoch ends with one as well. A run that is killed " +
            "loses no more than this. Default: 300.",
        ),
      notFinite: z
        .strictObject({
          skip: z
            .int()
            .min(1)
            .max(1_000_000)
            .exactOptional()
            .describe(
              "Steps of a generation that may be left out, on the CPU: nothing is learnt from their images. Default: none.",
            ),
          goBack: z
            .int()
            .min(1)
            .max(100)
            .exactOptional()
            .describe(
              "How often a generation may go back to its newest checkpoint, with lower learning rates. Default: not at all.",
            ),
          rate: z
            .number()
            .gt(0)
            .lt(1)
            .exactOptional()
            .describe("What the learning rates are multiplied by each time that it goes back. Default: 0.5."),
        })
        .exactOptional()
        .describe(
          "What is done about a loss or gradients that are not finite: steps are left out, and when there are too many of them " +
            "the training goes back. Default: the training stops, and says where it comes from.",
        ),
      batchSize: z
        .int()
        .min(1)
        .max(65_536)
        .default(128)
        .describe("Images per step, those of all processes together where several train the network."),
      batchSizePerRank: z
        .int()
        .min(1)
        .max(65_536)
        .exactOptional()
        .describe(
          "Given instead of batchSize: images per step and process, so that more processes make larger batches. The learning " +
            "rate stays as it is given. Default: none.",
        ),
      syncBatchNorm: z
        .boolean()
        .exactOptional()
        .describe(
          "Whether batch norm takes the statistics of the images of all processes that train the network, on the CPU. It changes " +
            "nothing for one process. Default: false, each process takes those of its own images.",
        ),
      accumulate: z
        .int()
        .min(1)
        .max(65_536)
        .exactOptional()
        .describe(
          "Parts in which a step's batch is computed, one after the other, so that it needs less memory. The gradients are " +
            "those of the whole batch, but for batch norm, which normalises each part by its own statistics, and for losses that " +
            "relate the images of a batch to each other. Default: 1.",
        ),
      optimizer: optimizer
        .prefault({})
        .describe("What updates the weights. Without a kind, options are those of sgd."),
      clipNorm: z
        .number()
        .positive()
        .max(1e6)
        .exactOptional()
        .describe(
          "The largest Euclidean norm of all gradients together; larger ones are scaled down. Default: none.",
        ),
      schedule: schedule
        .prefault({})
        .describe("How the learning rate goes through the training. Without a kind: multi-step."),
      averageWeights: averageWeights
        .exactOptional()
        .describe(
          "Keep an average of the weights, exponential or equal, which is then evaluated, saved and used as the teacher. " +
            "Default: the weights themselves.",
        ),
      augment: augmentSchema(z)
        .prefault({})
        .describe(
          "Random changes to the training images, the same for teacher and student, in this order: resizedCrop, jitter, policy, " +
            "crop, flip, normalise, erase, mix.",
        ),
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
          "The dtype of activations in training. bfloat16 has 8 bits of precision and is faster where the processor has " +
            "units for it (AMX, GPUs); float16 has 11, with scaled gradients, on GPUs only. Weights, losses and evaluation " +
            "stay float32.",
        ),
      kernels: z
        .enum(["fast", "exact", "libtorch"])
        .default("fast")
        .describe(
          "The operators that compute. On the CPU: fast and exact are Lyceum's own, exact with convolutions that round as " +
            "the definition does; libtorch is libtorch's alone. On a GPU: fast and exact run each step as one CUDA graph, " +
            "exact with convolutions that give the same bits every time; libtorch runs operator by operator.",
        ),
      threads: z
        .int()
        .min(1)
        .max(1024)
        .exactOptional()
        .describe(
          "CPU threads. Default: one per physical core. Where a machine runs fewer at a time, those are used, with a warning.",
        ),
    })
    .superRefine((recipe, context) => {
      // Where a value is wrong by itself, what it does not fit to is no second fault.
      if (context.issues.length > 0) return;
      const complain: Complain = (path, message) => context.addIssue({ code: "custom", path, message });
      checkMethods(recipe as unknown as Recipe, library, complain);
      checkFamily("schedule", recipe as unknown as Recipe, library, complain);
      checkFamily("optimizer", recipe as unknown as Recipe, library, complain);
      const set = library.find("dataset", (recipe as unknown as Recipe).data?.name ?? "");
      if (recipe.augment?.resizedCrop && set && !set.augment.resizedCrop)
        complain(
          ["augment", "resizedCrop"],
          `is for images in files of any size; those of ${set.name} all have the same: crop moves them by some pixels`,
        );
      for (const { path, message } of augmentProblems(recipe.augment))
        complain(["augment", ...path], message);
      for (const { path, message } of fineTuneProblems(recipe.fineTune))
        complain(["fineTune", ...path], message);
      if (recipe.fineTune && isPretrained(recipe as unknown as Recipe, library))
        complain(
          ["fineTune"],
          "the method of the patriarch names weights of its own: leave one of the two out",
        );
      if (recipe.batchSizePerRank !== undefined && recipe.batchSizePerRank !== recipe.batchSize)
        complain(
          ["batchSizePerRank"],
          "is given beside batchSize, which says how many images all processes have together: leave one of them out",
        );
      if (recipe.syncBatchNorm && recipe.device !== "cpu")
        complain(["syncBatchNorm"], "is for the CPU: leave it out, or take device: cpu");
      if (recipe.accumulate !== undefined && recipe.accumulate > Math.max(1, recipe.batchSize / 2))
        complain(
          ["accumulate"],
          `${recipe.accumulate} parts of a batch of ${recipe.batchSize} images would hold fewer than two, on which batch norm ` +
            `cannot train: at most ${Math.max(1, Math.floor(recipe.batchSize / 2))}`,
        );
      if (recipe.notFinite?.skip !== undefined && recipe.device !== "cpu")
        complain(
          ["notFinite", "skip"],
          "is for the CPU, since each step would have to wait for the card; goBack is for both",
        );
      if (recipe.notFinite?.rate !== undefined && recipe.notFinite.goBack === undefined)
        complain(["notFinite", "rate"], "is for goBack, which is missing");
      if (recipe.precision === "float16" && recipe.device === "cpu")
        complain(
          ["precision"],
          "float16 needs a GPU, --device cuda; processors have units for bfloat16 at most",
        );
    })
    .transform((recipe) => complete(recipe as unknown as Recipe, library))
    .meta({ title: "Lyceum recipe" }) as unknown as z.ZodType<Recipe>;
}

/** Gives the options of a choice from a family: the choice without its tag. */
export function optionsOf<Tag extends string>(choice: { readonly [key in Tag]: string }, tag: Tag) {
  const { [tag]: _, ...options } = choice;
  return options as Record<string, unknown>;
}

/** Tells whether a choice has its tag, which it lacks where its own schema has found a fault. */
function hasTag<Tag extends string>(
  choice: object | undefined,
  tag: Tag,
): choice is { readonly [key in Tag]: string } {
  return typeof (choice as Record<string, unknown> | undefined)?.[tag] === "string";
}

/**
 * Gives the number of classes of a recipe's data set, or undefined where its definition cannot tell without
 * images.
 */
export function classCount(data: RecipeData | undefined, library: Library = builtIn): number | undefined {
  return data && library.find("dataset", data.name)?.classCount?.(data);
}

function checkMethods(recipe: Recipe, library: Library, complain: Complain): void {
  checkMethod(recipe, "patriarch", 0, library, complain);
  // The line's length, too, is as it was written. The method of the students is checked where there are none as well.
  const generations = Number.isInteger(recipe.generations) ? Math.min(recipe.generations, 100) : 2;
  for (let generation = 1; generation < Math.max(2, generations); generation++) {
    // What is wrong with one student is mostly wrong with all.
    if (!checkMethod(recipe, "student", generation, library, complain)) return;
  }
}

/**
 * Checks the method of one generation.
 *
 * @returns whether nothing was wrong
 */
function checkMethod(
  recipe: Recipe,
  key: "patriarch" | "student",
  generation: number,
  library: Library,
  complain: Complain,
): boolean {
  // The choice is as it was written, without its tag perhaps, where its own schema has found a fault.
  const choice: Partial<Recipe["patriarch"]> | undefined = recipe[key];
  if (!hasTag(choice, "method")) return true;
  const method = library.get("method", choice.method);
  // What is right for the first student is told apart from what goes wrong later in the line.
  const where = generation > 1 ? `, in generation ${generation}` : "";
  try {
    const { generations } = recipe;
    const options = optionsAt(method, optionsOf(choice, "method"), { generation, generations });
    const problems = method.check?.(options, { classes: classCount(recipe.data, library) }) ?? [];
    for (const problem of problems) {
      complain(problem.key === undefined ? [key] : [key, problem.key], problem.message + where);
    }
    if (problems.length > 0) return false;
    teachersOf(method, generation, options);
    return true;
  } catch (error) {
    // The first network has no earlier ones, so that whatever teacher it asks for is out of range.
    complain(
      [key],
      key === "patriarch" && error instanceof RangeError
        ? `${method.name} learns from a teacher, and before the patriarch there is none`
        : (error as Error).message,
    );
    return false;
  }
}

/** Tells whether the method of the patriarch begins with weights of its own choice. */
function isPretrained({ patriarch }: Recipe, library: Library): boolean {
  return hasTag(patriarch, "method") && library.get("method", patriarch.method).weights !== undefined;
}

/** Reports what the chosen schedule or optimiser finds wrong with its options. */
function checkFamily(
  key: "schedule" | "optimizer",
  recipe: Recipe,
  library: Library,
  complain: Complain,
): void {
  const { epochs } = recipe;
  // The choice is as it was written, without its tag perhaps, where its own schema has found a fault.
  const choice: Partial<Recipe["schedule"]> | undefined = recipe[key];
  if (!hasTag(choice, "kind")) return;
  const definition = library.get(key, choice.kind);
  for (const problem of definition.check?.(optionsOf(choice, "kind"), { epochs }) ?? []) {
    complain(problem.key === undefined ? [key] : [key, problem.key], problem.message);
  }
}

/**
 * Fills in the defaults that depend on other keys: those of the methods, and the augmentation that the images
 * allow.
 */
function complete(recipe: Recipe, library: Library): Recipe {
  const completed = (choice: Recipe["patriarch"]) => {
    const method = library.get("method", choice.method);
    const options = optionsOf(choice, "method");
    return { method: method.name, ...(method.complete?.(options) ?? options) };
  };
  const augment = defaultAugment(
    library.find("dataset", recipe.data.name) ?? { augment: { crop: true, flip: true } },
  );
  return {
    ...recipe,
    patriarch: completed(recipe.patriarch),
    student: completed(recipe.student),
    ...(recipe.fineTune && { fineTune: completeFineTune(recipe.fineTune) }),
    augment: { ...augment, ...recipe.augment, ...mixingOf(recipe.augment) },
  };
}
