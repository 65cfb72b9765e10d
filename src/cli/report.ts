import { relative } from "node:path";
import { Command } from "commander";
import { findRun } from "./find-run.js";
import { importFiles, withImports } from "./imports.js";

export const reportCommand = () =>
  withImports(new Command("report"))
    .description("write a run's report.html again")
    .argument("<run>", "a run's folder, or its name in runs/")
    .option("--json", "print the path as JSON")
    .addHelpText(
      "after",
      `
The page holds all it shows: it can be mailed or put on a server as it is.

Examples:
  $ npx lyceum report quickstart
  $ npx lyceum report runs/quickstart`,
    )
    .action(async (nameOrPath: string, options: { json?: boolean; import?: string[] }) => {
      const directory = await findRun(nameOrPath);
      const { writeReport } = await import("../report/index.js");
      const report = await writeReport(directory, { imports: await importFiles(options.import) });
      console.log(options.json ? JSON.stringify({ report }) : relative(process.cwd(), report));
    });
