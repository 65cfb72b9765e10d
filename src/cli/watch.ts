import { existsSync } from "node:fs";
import { setPriority } from "node:os";
import { Command } from "commander";
import { UsageError } from "./errors.js";
import { RUNS } from "./find-run.js";
import { importFiles, withImports } from "./imports.js";

/** The folder that results of studies go into. */
const RESULTS = "results";

export interface WatchCommandOptions {
  port?: string;
  host?: string;
  import?: string[];
}

export const watchCommand = () =>
  withImports(new Command("watch"))
    .description("show runs and studies on a live page while they train")
    .argument("[folders...]", `where to look, in the folders below too (default: ${RUNS} and ${RESULTS})`)
    .option("--port <port>", "the port to listen on (default: 8420, or another one where that is taken)")
    .option(
      "--host <address>",
      "an address of this machine, such as 0.0.0.0, to be reached from others: the page's address then holds a token",
    )
    .addHelpText(
      "after",
      `
The page reads the runs' folders, also those of another machine on a mounted disk,
and changes nothing in them: a training does not notice that it is watched. Without
--host only this machine is served. Over SSH: ssh -L 8420:127.0.0.1:8420 MACHINE

Examples:
  $ npx lyceum watch
  $ npx lyceum watch runs/quickstart
  $ npx lyceum watch /mnt/cluster/runs --port 9000
  $ npx lyceum train quickstart --watch

Ctrl-C ends the page, and nothing else.`,
    )
    .action(async (folders: string[], options: WatchCommandOptions) => {
      for (const folder of folders)
        if (!existsSync(folder)) throw new UsageError(`${folder}: there is no such folder`);
      const port = options.port === undefined ? undefined : portOf(options.port);
      const { watch } = await import("../live/index.js");
      const imports = await importFiles(options.import);
      // What is watched comes first.
      setPriority(5);
      const chosen = folders.length > 0 ? folders : [RUNS, RESULTS];
      const watcher = await watch(chosen, { port, host: options.host, imports });
      process.send?.({ url: watcher.url });
      if (!process.send) console.log(`${chosen.join(", ")}: ${watcher.url}`);
      await ended();
      // Nothing is lost with it: neither the channel to a training nor a disk that does not answer keeps it alive.
      await Promise.race([watcher[Symbol.asyncDispose](), new Promise((done) => setTimeout(done, 1000))]);
      process.exit(0);
    });

/** Waits for Ctrl-C, or, where a training has begun the page, for its end. */
function ended(): Promise<void> {
  return new Promise((done) => {
    process.once("SIGTERM", () => done());
    // Ctrl-C is sent to all of a terminal's programs: one with a training is ended by that.
    process.on("SIGINT", () => process.connected || done());
    process.once("disconnect", () => done());
  });
}

/** @throws UsageError when it is no port */
function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new UsageError(`--port ${text}: must be a whole number from 0 to 65535; 0 takes any that is free`);
}
