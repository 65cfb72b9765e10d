import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { huggingFaceConfig } from "./config.js";
import { timmNetworks } from "./networks.js";
import { readHuggingFaceConfig } from "./read-config.js";

const folder = mkdtempSync(join(tmpdir(), "lyceum-config-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "config.json");
const written = (content: unknown) => {
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
};

it.each([undefined, 256])("reads what Lyceum writes, with a shorter side of %s", (shorterSide) => {
  const input = { channels: 3, height: 224, width: 224, mean: [0.5, 0.4, 0.3], std: [0.2, 0.2, 0.3] };
  const given = { ...input, ...(shorterSide !== undefined && { shorterSide }) };
  const config = huggingFaceConfig(timmNetworks.resnet18!, given, 2, ["cat", "dog"]);
  expect(readHuggingFaceConfig(written(config))).toEqual({ classNames: ["cat", "dog"], input: given });
});

const network = { input_size: [3, 64, 64], mean: [0, 0, 0], std: [1, 1, 1] };

it("reads files of timm's that hold all on one level, and name no classes", () => {
  expect(readHuggingFaceConfig(written({ architecture: "resnet18", crop_pct: 0.5, ...network }))).toEqual({
    classNames: undefined,
    input: { channels: 3, height: 64, width: 64, mean: [0, 0, 0], std: [1, 1, 1], shorterSide: 128 },
  });
});

it.each([
  ["{", "is no JSON: "],
  ["null", "is no description of a network"],
  [{ model_type: "bert" }, "does not describe a network of timm's: pretrained_cfg.input_size: "],
  [{ pretrained_cfg: { ...network, mean: [0] } }, "pretrained_cfg.mean: must hold 3 numbers, one a channel"],
  [{ pretrained_cfg: { ...network, std: [1, 0, 1] } }, "pretrained_cfg.std: must be above 0"],
  [{ pretrained_cfg: { ...network, crop_pct: 0 } }, "pretrained_cfg.crop_pct: "],
])("refuses %j", (content, message) => {
  expect(() => readHuggingFaceConfig(written(content))).toThrow(message);
});
