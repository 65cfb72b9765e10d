import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type AnyDataset, checksumOfStored, isStored } from "../data/index.js";
import { schema } from "../packages.js";
import { writeAtomic } from "../runs/index.js";

const fileName = "images.json";

const recordSchema = schema((z) => {
  const checksum = z.string().regex(/^[0-9a-f]{64}$/);
  return z.object({ train: checksum, test: checksum });
});

/**
 * Notes in a run's folder which files its images were, and compares them when the run goes on: where one was added, renamed or
 * taken away, images could go over from the training part to the test part, and stored logits would belong to others. Paths, sizes and
 * labels are compared, not the files' bytes.
 *
 * @throws Error that says what to do where they are others
 */
export async function checkSameFiles(directory: string, { train, test }: AnyDataset): Promise<void> {
  if (!isStored(train) || !isStored(test)) return;
  const path = join(directory, fileName);
  const now = { train: checksumOfStored(train), test: checksumOfStored(test) };
  if (!existsSync(path)) return await writeAtomic(path, `${JSON.stringify(now, null, 2)}\n`);
  let before: typeof now;
  try {
    before = recordSchema().parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new Error(`${path}: is damaged; give its copy back, or begin a new run`, { cause });
  }
  const differing = (["train", "test"] as const).filter((part) => before[part] !== now[part]);
  if (differing.length === 0) return;
  throw new Error(
    `the files of the ${differing.join(" and ")} images are not those that the run in ${directory} began with: put them back as they ` +
      "were, with their names and sizes, or begin a new run",
  );
}
