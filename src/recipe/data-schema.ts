import type { Z } from "../packages.js";
import { choiceOf } from "./choice.js";
import type { Library } from "./library.js";

/**
 * The schema of a recipe's `data`: the name of a set that the library defines, or its name with options; or a name that
 * stands for images which code hands over.
 */
export function dataSchema(z: Z, library: Library) {
  const count = z.int().min(1);
  const common = {
    root: z
      .string()
      .min(1)
      .exactOptional()
      .describe(
        "The folder, or the archive, that holds the set. Default: where `npx lyceum data fetch` puts it.",
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
      .describe(
        "Fraction of the training images, of each class, that is held out of training for validation after each epoch.",
      ),
  };
  const sets = library.all("dataset");
  const known = choiceOf(z, { tag: "name", members: sets, common });
  // A program may hand images over in code, under any name that no definition has.
  const other = z
    .strictObject({
      name: z
        .string()
        .min(1)
        .refine((name) => library.find("dataset", name) === undefined, { abort: true })
        .describe("The name of the images."),
      ...common,
    })
    .describe("Images that a program hands over in code.");
  // A folder of photographs is said in one key.
  const folder = library.find("dataset", "folder");
  const { root: _, ...others } = common;
  const short =
    folder &&
    z
      .strictObject({
        folder: common.root
          .unwrap()
          .describe("A folder of photographs: the short form of name: folder and root."),
        ...others,
        ...folder.options?.(z),
      })
      .transform(({ folder: root, ...rest }) => ({ name: "folder", root, ...rest }));
  return z
    .union([
      known,
      z
        .string()
        .min(1)
        .transform((name) => ({ name }))
        .pipe(other),
      other,
      ...(short ? [short] : []),
    ])
    .describe("The data set: its name, or its name with options. The one key that has no default.");
}
