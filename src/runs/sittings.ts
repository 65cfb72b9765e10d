/** The sittings of a run: the work of one process after another, as environment.json lists them. */
import type { Environment } from "./environment.js";

/** What of an environment decides how sums round, in words, by the name of what differs. */
function roundingOf({
  lyceum,
  commit,
  libtorch,
  machine,
  threads,
  ranks = 1,
  isa,
  device,
  card,
}: Environment) {
  return {
    Lyceum: `Lyceum ${lyceum}${commit ? ` at commit ${commit.slice(0, 12)}${commit.endsWith("+") ? "+" : ""}` : ""}`,
    libtorch: `libtorch ${libtorch}`,
    processor: machine.cpu,
    architecture: machine.arch,
    device: card ?? (device === "cpu" ? "the processor" : device),
    kernels: isa === undefined ? undefined : `kernels for ${isa}`,
    threads: `${threads} thread${threads === 1 ? "" : "s"}`,
    ranks: `${ranks} process${ranks === 1 ? "" : "es"}`,
  };
}

/**
 * Says what in two environments differs that decides how sums round. Where there is anything, a training that goes over from
 * one to the other need not end with the bits with which it would have ended in either.
 *
 * @returns a phrase for each, such as "2 threads (1 before)"; what one of the two does not tell is left out
 */
export function differencesOfBits(before: Environment, now: Environment): string[] {
  const [then, here] = [roundingOf(before), roundingOf(now)];
  return (Object.keys(here) as (keyof typeof here)[]).flatMap((name) => {
    const [a, b] = [then[name], here[name]];
    return a === undefined || b === undefined || a === b ? [] : [`${b} (before: ${a})`];
  });
}
