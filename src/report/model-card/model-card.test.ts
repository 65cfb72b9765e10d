/** Model cards, with titles and class names that would be markup or YAML if they could. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { resolveRecipe } from "../../recipe/index.js";
import type { GenerationResult, Summary } from "../../runs/types.js";
import { frontMatter } from "./front-matter.js";
import { codeBlock, plainText, textTable } from "./markdown.js";
import { type CardContent, modelCard } from "./model-card.js";

const generation = (number: number, top1: number): GenerationResult => ({
  generation: number,
  role: number === 0 ? "patriarch" : "student",
  test: { top1, top5: 0.97, nll: 0.8 },
  trainSeconds: 61,
  weights: `generation-${number}/weights.safetensors`,
});
const summary: Summary = {
  ...{ format: 2, lyceum: "0.1.0", title: "plain", k: 5, seconds: 130 },
  generations: [generation(0, 0.61), generation(1, 0.6425)],
  ensembles: { "0-1": { test: { top1: 0.65 } } },
};
const recipe = resolveRecipe({
  data: { name: "cifar100", root: "/home/somebody/secret/cifar", heldOut: 0.1 },
  model: "resnet18",
});
const card = (changes: Partial<CardContent> = {}, title = "plain", generation = 1) =>
  modelCard({
    ...{ folder: "mine", architecture: "resnet18", classes: 3, lyceum: "0.1.0", size: [3, 32, 32] },
    classNames: ["cat", "dog", "owl"],
    run: {
      ...{ name: "first", generation, recipe, summary: { ...summary, title }, environment: undefined },
      ...{ testImages: 10_000, methodLines: [["patriarch", "tolerant"]], hubName: "uoft-cs/cifar100" },
    },
    ...changes,
  });
const metadataOf = (text: string) => parse(/^---\n([\s\S]*?\n)---\n/.exec(text)![1]!, { version: "1.1" });

test("the metadata hold the measured results, as the Hub's model-index has them", () => {
  expect(metadataOf(card())).toEqual({
    library_name: "timm",
    pipeline_tag: "image-classification",
    tags: ["image-classification", "timm", "lyceum", "training-in-generations"],
    datasets: ["uoft-cs/cifar100"],
    metrics: ["accuracy"],
    "model-index": [
      {
        name: "mine",
        results: [
          {
            task: { type: "image-classification", name: "Image Classification" },
            dataset: { type: "uoft-cs/cifar100", name: "cifar100", split: "test" },
            metrics: [
              { type: "accuracy", name: "top-1 accuracy", value: 0.6425 },
              { type: "accuracy", name: "top-5 accuracy", value: 0.97 },
            ],
          },
        ],
      },
    ],
  });
});

test("shows all generations, and how they were judged", () => {
  const text = card();
  expect(text).toContain("# first: plain\n");
  expect(text).toContain("It is student 1 of a line of 2 networks");
  expect(text).toContain("| patriarch | 61.00 % | 97.00 % | 0.800 |");
  expect(text).toContain("| student 1 (this network) | 64.25 % | 97.00 % | 0.800 |");
  expect(text).toContain("| ensemble 0–1 | 65.00 % |");
  expect(text).toContain("the 10,000 test images, which were read once a generation, after its last epoch");
  expect(text).toContain("[uoft-cs/cifar100](https://huggingface.co/datasets/uoft-cs/cifar100)");
  expect(text).toContain('timm.create_model("local-dir:mine", pretrained=True)');
  expect(text).toContain("10.00 % of the training images held out");
});

test("does not tell where files lay on the machine that trained", () => {
  expect(card()).not.toMatch(/somebody|secret/);
});

test("weights of no run have a card without results", () => {
  const text = card({ run: undefined, classNames: undefined });
  expect(metadataOf(text)).toEqual({
    library_name: "timm",
    pipeline_tag: "image-classification",
    tags: ["image-classification", "timm", "lyceum"],
  });
  expect(text).not.toMatch(/## (Results|Data|Training)/);
  expect(text).toContain("# mine\n");
});

test("a thousand class names are not all listed", () => {
  const classNames = Array.from({ length: 1000 }, (_, i) => `class ${i}`);
  const text = card({ classNames, classes: 1000 });
  expect(text).toContain("class 99 and 900 more, all of which `config.json` lists.");
  expect(text).not.toContain("class 100");
});

test("titles and class names stay text", () => {
  const hostile = "</b>\n---\n# <script>alert(1)</script> [x](javascript:1) `a` |";
  const text = card({ classNames: [hostile, "- item", "1. one"] }, hostile);
  expect(metadataOf(text)["model-index"][0].name).toBe("mine");
  const body = text.replace(/```[\s\S]*?```/g, "");
  expect(body).not.toContain("<script>");
  expect(body).not.toMatch(/(?<!\\)\[x(?<!\\)\]/);
  expect(body.match(/^# .*$/gm)).toHaveLength(1);
  expect(body.match(/^---$/gm)).toHaveLength(2);
});

const anyText = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom(
    "yes",
    "no",
    "null",
    "~",
    "1_000",
    "0x1f",
    "1:30",
    "2024-01-01",
    "",
    " ",
    "a: b",
    "#",
    "'",
    '"',
  ),
);

test("whatever a model is called, YAML 1.1 reads its name back", () => {
  fc.assert(
    fc.property(anyText, anyText, (name, root) => {
      const data = { name: "folder", root: `/somewhere/${root.replaceAll("/", "-")}.d` };
      const text = frontMatter({ name, data, hubName: undefined, test: { top1: 0.5 } });
      const [model] = metadataOf(text)["model-index"];
      expect(model.name).toBe(name);
      expect(model.results[0].dataset.type).toBe("imagefolder");
      expect(model.results[0].dataset.name).toBe(data.root.slice("/somewhere/".length));
    }),
  );
});

test("plain text is one line, without markup of any kind", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const shown = plainText(text);
      expect(shown).not.toMatch(/[\n\r\u2028]/);
      expect(shown.replace(/\\./g, "")).not.toMatch(/[\\`*_[\]<>#|~&!$]/);
      expect(shown).not.toMatch(/^([-+=]|\d+[.)](\s|$))/);
    }),
  );
  expect(plainText("65.00 % of 3-channel images")).toBe("65.00 % of 3-channel images");
});

test("a block of code is not ended by what it holds", () => {
  expect(codeBlock("yaml", "a: |\n  ```\n  ````sh")).toBe("`````yaml\na: |\n  ```\n  ````sh\n`````");
  expect(textTable(["", "a|b"], [["x", "1"]])).toBe("|  | a\\|b |\n| --- | ---: |\n| x | 1 |");
});
