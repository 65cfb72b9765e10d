#!/usr/bin/env node
import { run } from "./program.js";

// A reader that leaves early, as in `lyceum recipes | head -1`, is no failure: the process then just ends. A
// training has a listener of its own, which saves a checkpoint first.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    if (stream.listenerCount("error") === 1) process.exit(process.exitCode ?? 0);
  });
// Not awaited here: in a bundle, a part that is loaded later may need this file, and would wait for it to end.
void run(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
