/** The recipes for ILSVRC2012 on archives of its official shape: twenty steps from the tar files to trained weights. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { photo } from "../data/stored/testing/photos.js";
import { tarStream } from "../packages.js";
import { loadRecipe } from "../recipe/index.js";
import { trainGenerations } from "./train-generations.js";

const wnids = ["n01440764", "n02100735", "n02119789"];
let root: string;

async function tar(members: readonly (readonly [string, Buffer | string])[]): Promise<Buffer> {
  const pack = tarStream().pack();
  for (const [name, data] of members) pack.entry({ name }, data);
  pack.finalize();
  return await buffer(pack);
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "lyceum-imagenet-"));
  vi.stubEnv("LYCEUM_DATA", join(root, "cache"));
  const classes = await Promise.all(
    wnids.map(async (wnid, label) => {
      const images = Array.from({ length: 14 }, async (_, i) => {
        const size = { width: 90 + 10 * i, height: 200 - 8 * i };
        return [`${wnid}_${i}.JPEG`, await photo(3 * i + label, size)] as const;
      });
      return [`${wnid}.tar`, await tar(await Promise.all(images))] as const;
    }),
  );
  const validation = Array.from({ length: 6 }, async (_, i) => {
    return [`ILSVRC2012_val_0000000${i + 1}.JPEG`, await photo(100 + i, { width: 120, height: 90 })] as const;
  });
  writeFileSync(join(root, "ILSVRC2012_img_train.tar"), await tar(classes));
  writeFileSync(join(root, "ILSVRC2012_img_val.tar"), await tar(await Promise.all(validation)));
  const kit = await tar([
    [
      "ILSVRC2012_devkit_t12/data/meta.mat",
      readFileSync(new URL("../data/stored/fixtures/meta.mat", import.meta.url)),
    ],
    ["ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt", "3\n1\n2\n3\n1\n2\n"],
  ]);
  writeFileSync(join(root, "ILSVRC2012_devkit_t12.tar.gz"), gzipSync(kit));
});

afterAll(() => rmSync(root, { recursive: true }));

it.each(["imagenet-resnet18", "imagenet-resnet50"])("%s takes twenty steps", async (name) => {
  const recipe = await loadRecipe(name);
  const small = {
    generations: 1,
    epochs: 2,
    batchSize: 4,
    patriarch: { method: "top-score-difference", k: 2 },
  };
  const data = { ...recipe.data, root, size: 64, limit: { train: 40 } };
  const reports: { steps: number; loss: number }[] = [];
  const result = await trainGenerations(
    { ...recipe, ...small, data, schedule: { kind: "multi-step", milestones: [1] } },
    {
      directory: join(root, name),
      onProgress: (event) => {
        if (event.type === "epoch") reports.push({ steps: 10, loss: event.record.trainLoss });
      },
    },
  );
  expect(reports).toHaveLength(2);
  for (const { loss } of reports) expect(loss).toBeGreaterThan(0);
  expect(result.generations[0]!.test.top1).toBeGreaterThanOrEqual(0);
});
