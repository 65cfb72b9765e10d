import { existsSync } from "node:fs";
import { Command } from "commander";
import { percent } from "../report/numbers.js";
import type { RunListing } from "../runs/index.js";
import { UsageError } from "./errors.js";
import { RUNS } from "./find-run.js";
import { printable } from "./text.js";

export const runsCommand = () =>
  new Command("runs")
    .description("list runs with their state and result")
    .argument("[folder]", "where to look, in the folders below too", RUNS)
    .option("--json", "print them as JSON")
    .addHelpText(
      "after",
      `
The newest run comes last. States: training (a process is at work in it), finished, unfinished (see train --resume), and
damaged, with the reason. Top-1 is of the last finished generation; the ensemble is of all generations up to it.

Examples:
  $ npx lyceum runs
  $ npx lyceum runs /scratch/runs --json`,
    )
    .action(async (folder: string, { json }: { json?: boolean }) => {
      if (!existsSync(folder)) {
        throw new UsageError(
          `${folder}: there is no such folder${folder === RUNS ? ": no run was begun here" : ""}`,
        );
      }
      const { listRuns } = await import("../runs/index.js");
      const listings = await listRuns(folder);
      if (json) console.log(JSON.stringify(listings, null, 2));
      else if (listings.length === 0) console.log(`${folder} holds no runs`);
      else console.log(runTable(listings));
    });

/** The headings of the columns. The last column, of notes, has none, since it is empty for most runs. */
const headings = ["run", "state", "generations", "epochs", "top-1", "ensemble", "data", "model", "begun", ""];

function runTable(listings: readonly RunListing[]): string {
  const rows = [headings, ...listings.filter(({ state }) => state !== "damaged").map(cells)];
  const widths = headings.map((_, c) =>
    Math.max(
      ...rows.map((row) => row[c]!.length),
      ...(c === 0 ? listings.map(({ name }) => name.length) : []),
    ),
  );
  const line = (row: readonly string[]) =>
    printable(row.map((cell, c) => cell.padEnd(widths[c]!)).join("   ")).trimEnd();
  return [
    line(headings),
    ...listings.map((listing) =>
      // The reason of a damaged run takes all the room it needs, across the columns.
      listing.state === "damaged"
        ? printable(`${listing.name.padEnd(widths[0]!)}   damaged: ${listing.problem}`)
        : line(cells(listing)),
    ),
  ].join("\n");
}

function cells({
  name,
  state,
  generations,
  epochs,
  top1,
  data,
  model,
  date,
  note = "",
}: RunListing): string[] {
  return [
    name,
    state,
    generations ? `${generations.finished}/${generations.of}` : "",
    epochs ? `${epochs.done}/${epochs.of}` : "",
    top1 ? percent(top1.last) : "",
    top1?.ensemble ? percent(top1.ensemble.top1) : "",
    data ?? "",
    model ?? "",
    date ? date.slice(0, 16).replace("T", " ") : "",
    note,
  ];
}
