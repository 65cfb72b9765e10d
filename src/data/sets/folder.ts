import { join, resolve } from "node:path";
import { DataError } from "../data-error.js";
import { type DataSpec, defineDataset, type MakeOptions } from "../define.js";
import { type AnyDataset, type StoredImages, subset } from "../image-set.js";
import { stratifiedSample } from "../split.js";
import { foldersIn, type OpenedFolders, openClassFolders } from "../stored/open-class-folders.js";
import { photoAugment, photoNormalisation, storedImages, storedOptions } from "../stored/options.js";

/** The names of a folder that holds the training images, and of one that holds the test images, in any case of letters. */
const trainFolders = ["train", "training"];
/** The first of these that is there is taken. */
const testFolders = ["test", "testing", "val", "valid", "validation"];
const usualShare = 0.2;
const remedy =
  "Give a folder with train/CLASS/… and val/CLASS/…, or one with a folder for each class: data: { folder: PATH }, or --set data.root=PATH";

export const folder = defineDataset({
  name: "folder",
  summary: "photographs of one's own: a folder for each class, in train/ and val/ or all in one place",
  options: (z) => ({
    ...storedOptions(z),
    testFolder: z
      .string()
      .regex(/^[^/\\]+$/, "must be the name of a folder, without slashes")
      .exactOptional()
      .describe(
        `Of a folder: the name of the one in it that holds the test images. Default: the first of ${testFolders.join(", ")} that is there.`,
      ),
    testShare: z
      .number()
      .min(0.01)
      .max(0.9)
      .exactOptional()
      .describe(
        "Of a folder without a part for testing: the fraction of the images, of each class, that becomes the test part. " +
          `Default: ${usualShare}.`,
      ),
  }),
  augment: photoAugment,
  from: { where: "where data.root says", make: (spec, options) => openFolder(spec, options) },
});

/**
 * Lists the images of a folder.
 *
 * @throws DataError that says what is missing in the folder and what would do
 */
export async function openFolder(spec: DataSpec, options: MakeOptions = {}): Promise<AnyDataset> {
  if (spec.root === undefined)
    throw new DataError({ file: "data" }, "does not say which folder it is", remedy);
  const root = resolve(spec.root);
  const inside = foldersIn(root, "").folders.map(String);
  const named = (names: readonly string[]) =>
    names.flatMap((name) => inside.filter((folder) => folder.toLowerCase() === name));
  const [trainFolder] = named(trainFolders);
  const test = testFolderOf(
    root,
    spec,
    inside,
    trainFolder === undefined ? undefined : named(testFolders)[0],
  );
  // Folders of classes in a folder that is called as a part is: the other part is missing, or goes by another name.
  const part = named(testFolders).find((name) => foldersIn(root, name).folders.length > 0);
  if (trainFolder === undefined && (test ?? part) !== undefined)
    throw new DataError({ file: root }, `holds ${test ?? part}/ but no train/`, remedy);
  const train = await openClassFolders(root, trainFolder ?? "", options);
  if (test === undefined) return splitByShare(root, spec, train);
  if (spec.testShare !== undefined)
    throw new DataError(
      { file: root },
      `has images for testing, in ${test}/, so testShare means nothing`,
      "Leave data.testShare out",
    );
  const tested = await openClassFolders(root, test, options, 1);
  const labelOf = new Map(train.classNames.map((name, label) => [name, label]));
  const foreign = tested.classNames.find((name) => !labelOf.has(name));
  if (foreign !== undefined)
    throw new DataError(
      { file: join(root, test, foreign) },
      `is a class that ${join(root, trainFolder!)} does not have`,
      "Give both parts the same classes, or take the folder away",
    );
  const labels = tested.labels.map((label) => labelOf.get(tested.classNames[label]!)!);
  const absent = train.classNames.filter((name) => !tested.classNames.includes(name));
  const unused = named(testFolders).filter((name) => name !== test);
  return datasetOf(
    storedImages(spec, { name: "train", ...train }),
    storedImages(spec, { name: test, ...tested, labels, classNames: train.classNames }),
    {
      leftOut: [...train.leftOut, ...tested.leftOut],
      notes: [
        ...train.notes,
        ...tested.notes,
        ...(absent.length > 0 ? [`${test}/ has no images of ${listed(absent)}`] : []),
        ...(unused.length > 0
          ? [`${unused.join("/, ")}/ is not used: testing is on ${test}/ (data.testFolder chooses)`]
          : []),
      ],
    },
  );
}

function testFolderOf(
  root: string,
  spec: DataSpec,
  inside: readonly string[],
  usual: string | undefined,
): string | undefined {
  const named = spec.testFolder as string | undefined;
  if (named === undefined || inside.includes(named)) return named ?? usual;
  throw new DataError({ file: root }, `has no folder ${named}, which data.testFolder names`, remedy);
}

/** Splits the images of one folder by a share, class by class. */
function splitByShare(root: string, spec: DataSpec, all: OpenedFolders): AnyDataset {
  const whole = storedImages(spec, { name: root, ...all });
  const { labels, count } = whole;
  const share = (spec.testShare as number | undefined) ?? usualShare;
  const test = stratifiedSample(labels, Math.round(share * count), spec.seed ?? 0);
  const isTest = new Uint8Array(count);
  for (const i of test) isTest[i] = 1;
  const train = Int32Array.from(labels.keys()).filter((i) => !isTest[i]);
  if (test.length === 0 || train.length === 0)
    throw new DataError(
      { file: root },
      `holds ${count} images, of which a share of ${share} for testing is ${test.length}`,
      "Add images, or give another data.testShare",
    );
  const note = `${test.length} of ${count} images, ${Math.round(100 * share)} % of each class, are for testing (data.testShare)`;
  const part = (name: string, indices: Int32Array) => ({ ...subset(whole, indices), name });
  return datasetOf(part("train", train), part("test", test), { ...all, notes: [...all.notes, note] });
}

function datasetOf(
  train: StoredImages,
  test: StoredImages,
  { notes, leftOut }: Pick<OpenedFolders, "notes" | "leftOut">,
): AnyDataset {
  const { classNames } = train;
  return { name: "folder", train, test, classNames, normalisation: photoNormalisation, notes, leftOut };
}

const listed = (names: readonly string[]) =>
  names.length <= 3
    ? names.join(", ")
    : `${names.slice(0, 3).join(", ")} and ${names.length - 3} other classes`;
