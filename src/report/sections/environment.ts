import { differencesOfBits, type Sittings } from "../../runs/index.js";
import { type Html, html } from "../html.js";
import { duration, plural } from "../numbers.js";
import { definitions } from "./definitions.js";

/**
 * Says with which software a run was made, and where.
 *
 * @param seconds how long it took
 */
export function environmentFacts(environment: Sittings | undefined, seconds: number | undefined): Html {
  if (!environment) return html`<p class="empty">There is no environment.json in the run folder.</p>`;
  const { machine, lyceum, node, libtorch, commit, threads, device, commandLine, date } = environment;
  const { resumed, changes = [] } = environment;
  const moved = resumed.filter(
    (sitting, i) => differencesOfBits(resumed[i - 1] ?? environment, sitting).length > 0,
  );
  return definitions([
    ["software", `Lyceum ${lyceum}, libtorch ${libtorch}, Node.js ${node}`],
    ["commit", commit],
    [
      "machine",
      `${machine.cpu}, ${plural(machine.cores, "core")}, ${machine.memoryGiB} GiB; ${machine.os}, ${machine.arch}`,
    ],
    ["device", `${device}, ${plural(threads, "thread")}`],
    ["begun", date],
    [
      "gone on elsewhere",
      moved.length > 0
        ? moved
            .map(
              ({ date, machine, libtorch, threads }) =>
                `${date}: ${machine.cpu}, libtorch ${libtorch}, ${plural(threads, "thread")}`,
            )
            .join("; ")
        : undefined,
    ],
    [
      "changed",
      changes.length > 0
        ? changes
            .map(
              ({ firstGeneration, keys, generations, epochs }) =>
                `from generation ${firstGeneration} on: ${keys.join(", ")} (then ${plural(generations, "generation")}, ${plural(epochs, "epoch")})`,
            )
            .join("; ")
        : undefined,
    ],
    ["time", seconds === undefined ? undefined : `${duration(seconds)} in all, evaluation included`],
    ["command", commandLine],
  ]);
}
