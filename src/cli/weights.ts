import { Command } from "commander";
import { convertCommand } from "./weights-convert.js";
import { showCommand } from "./weights-show.js";

export const weightsCommand = () =>
  new Command("weights")
    .description("look into files of weights, and convert them")
    .addHelpText(
      "after",
      `
Examples:
  $ npx lyceum weights show resnet18.pth
  $ npx lyceum weights convert resnet18.pth resnet18.safetensors`,
    )
    .addCommand(showCommand())
    .addCommand(convertCommand());
