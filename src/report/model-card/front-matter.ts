/**
 * The metadata of a model card, by which Hugging Face's Hub finds and lists models (its documentation, "Model Cards"): YAML between
 * two lines of dashes at the head of README.md.
 */
import { basename } from "node:path";
import { yaml } from "../../packages.js";
import type { Recipe } from "../../recipe/index.js";
import type { TestResult } from "../../runs/index.js";

/** What the metadata say of the network's results; none where the weights do not belong to a run. */
export interface MeasuredResult {
  /** The card's name of the model. */
  name: string;
  data: Pick<Recipe["data"], "name" | "root">;
  /** The set's name on the Hub, where it is there. */
  hubName: string | undefined;
  test: TestResult;
}

/** Writes the metadata with their dashes. Texts that YAML 1.1, which the Hub reads, would take for something else are quoted. */
export function frontMatter(measured: MeasuredResult | undefined): string {
  const content = {
    library_name: "timm",
    pipeline_tag: "image-classification",
    tags: ["image-classification", "timm", "lyceum", ...(measured ? ["training-in-generations"] : [])],
    ...(measured?.hubName !== undefined && { datasets: [measured.hubName] }),
    ...(measured && { metrics: ["accuracy"], "model-index": [modelIndex(measured)] }),
  };
  return `---\n${yaml().stringify(content, { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false })}---\n`;
}

function modelIndex({ name, data, hubName, test }: MeasuredResult) {
  const metrics = [
    { type: "accuracy", name: "top-1 accuracy", value: test.top1 },
    ...(test.top5 === undefined ? [] : [{ type: "accuracy", name: "top-5 accuracy", value: test.top5 }]),
  ];
  return {
    name,
    results: [
      {
        task: { type: "image-classification", name: "Image Classification" },
        // "imagefolder" is what the Hub calls images in folders of one's own.
        dataset: {
          type: hubName ?? (data.name === "folder" ? "imagefolder" : data.name),
          name: nameOfImages(data),
          split: "test",
        },
        metrics,
      },
    ],
  };
}

/** The name of a set, or of the folder whose images are one. Where the folder lies is nobody else's business. */
export function nameOfImages({ name, root }: Pick<Recipe["data"], "name" | "root">): string {
  return name === "folder" && root !== undefined ? basename(root) || name : name;
}
