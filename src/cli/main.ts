#!/usr/bin/env node
import { run } from "./program.js";

// A reader that leaves early, as of `lyceum recipes | head -1`, is no failure. A training listens too, and saves first.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    if (stream.listenerCount("error") === 1) process.exit(process.exitCode ?? 0);
  });
process.exitCode = await run(process.argv.slice(2));
