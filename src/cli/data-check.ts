import { Command } from "commander";
import type { CheckReport, MakeOptions, PartReport } from "../data/index.js";
import { resolveRecipe } from "../recipe/index.js";
import { lineTo } from "./counter.js";
import { dataHelp, parseData } from "./data-argument.js";
import { listenForInterrupt } from "./interrupt.js";
import { printable, table } from "./text.js";

/** So many of a kind are listed; --json lists all. */
const most = 20;

export const checkCommand = () =>
  new Command("check")
    .description(
      "look at every image of a folder, of ILSVRC2012 or of shards: what is there, and what is damaged",
    )
    .argument("<images>", dataHelp)
    .option("--json", "print all of it as JSON")
    .addHelpText(
      "after",
      `
Nothing is changed. Exit code 1 where images are damaged.

Examples:
  $ npx lyceum data check photos
  $ npx lyceum data check imagenet,root=/data/imagenet
  $ npx lyceum data check "shards,train=train-{0000..0009}.tar,test=val-0000.tar"`,
    )
    .action(async (images: string, { json }: { json?: boolean }) => {
      const { checkStored, loadDataset } = await import("../data/index.js");
      const { heldOut: _, ...spec } = resolveRecipe({ data: parseData(images) }).data;
      const line = lineTo(process.stderr);
      const { signal, stop } = listenForInterrupt({ onFirst: () => line.clear() });
      const onProgress: MakeOptions["onProgress"] = ({ doing, done, total }) =>
        line.show(`${doing ?? "reading"}  ${done}${Number.isNaN(total) ? "" : ` of ${total}`}`);
      let report: CheckReport;
      try {
        report = await checkStored(await loadDataset(spec, { signal, onProgress, fresh: true }), {
          signal,
          onProgress,
        });
      } finally {
        line.clear();
        stop();
      }
      console.log(json ? JSON.stringify(report, null, 2) : textOf(report));
      const bad = report.train.damaged.length + report.test.damaged.length;
      if (bad > 0)
        throw new Error(
          `${bad} images cannot be decoded: mend them, take them away, or set data.damaged: skip`,
        );
    });

function textOf(report: CheckReport): string {
  const { classNames, train, test, twice, leftOut, notes } = report;
  const parts = [
    ["", "images", "a class", "smallest", "median", "largest", "damaged"],
    rowOf("train", train),
    rowOf("test", test),
  ];
  const damaged = [...train.damaged, ...test.damaged].map(({ name, problem }) => `${name} ${problem}`);
  const names = classNames.length > most ? [...classNames.slice(0, most), "…"] : classNames;
  return printable(
    [
      `${classNames.length} classes: ${names.join(", ")}`,
      "",
      table(parts),
      ...block("damaged", damaged),
      ...block(
        "in both parts, so that testing is easier than it should be",
        twice.map(({ train, test }) => `${test} is ${train}`),
      ),
      ...block(
        "left out",
        leftOut.map(({ path, why }) => `${path}: ${why}`),
      ),
      ...block("", notes),
    ].join("\n"),
  );
}

function rowOf(name: string, { images, perClass, sizes, damaged }: PartReport): string[] {
  const [fewest, many] = [Math.min(...perClass), Math.max(...perClass)];
  const size = (of: "smallest" | "median" | "largest") => sizes?.[of].join("x") ?? "";
  return [
    name,
    String(images),
    fewest === many ? String(many) : `${fewest} to ${many}`,
    ...[size("smallest"), size("median"), size("largest")],
    String(damaged.length),
  ];
}

function block(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const more = lines.length > most ? [`… and ${lines.length - most} more (--json lists all)`] : [];
  return ["", ...(title === "" ? [] : [`${title}:`]), ...lines.slice(0, most), ...more];
}
