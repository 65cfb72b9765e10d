import type { watch as serve } from "./server.js";

export type { Watcher, WatchOptions } from "./server.js";

/**
 * Serves live pages of runs and studies; see `server.ts`. The packages for charts are loaded with the first server, since that
 * takes a third of a second.
 */
export const watch: typeof serve = async (...args) => {
  const { watch } = await import("./server.js");
  return watch(...args);
};
