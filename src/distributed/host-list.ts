/**
 * Expands a list of hosts as Slurm writes it: "node[01-04,7],other" is node01, node02, node03, node04, node7, other.
 * Numbers keep their leading zeros, and a name may have several brackets.
 *
 * @throws RangeError when a bracket is not closed, a range runs backwards, or there are more than 100,000 hosts
 */
export function expandHosts(list: string): string[] {
  const hosts = splitOutside(list).flatMap((part) => expandOne(part.trim()));
  if (hosts.length > mostHosts) throw new RangeError(`the list of hosts has more than ${mostHosts}`);
  return hosts.filter((host) => host !== "");
}

const mostHosts = 100_000;

/** Splits at the commas that stand in no bracket. */
function splitOutside(list: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (const [i, character] of [...list].entries()) {
    if (character === "[") depth++;
    if (character === "]") depth--;
    if (depth < 0 || depth > 1) break;
    if (character === "," && depth === 0) {
      parts.push(list.slice(start, i));
      start = i + 1;
    }
  }
  if (depth !== 0) throw new RangeError(`the list of hosts "${list}" has a bracket without its partner`);
  return [...parts, list.slice(start)];
}

function expandOne(part: string): string[] {
  const bracket = /^([^[]*)\[([^\]]*)\](.*)$/.exec(part);
  if (!bracket) return [part];
  const [, before, inside, after] = bracket;
  const rest = expandOne(after!);
  const numbers = inside!.split(",").flatMap((range) => expandRange(range.trim(), part));
  if (numbers.length * rest.length > mostHosts) {
    throw new RangeError(`the list of hosts has more than ${mostHosts}`);
  }
  return numbers.flatMap((number) => rest.map((end) => `${before}${number}${end}`));
}

function expandRange(range: string, part: string): string[] {
  const ends = /^(\d+)(?:-(\d+))?$/.exec(range);
  const [first, last] = [Number(ends?.[1]), Number(ends?.[2] ?? ends?.[1])];
  if (!ends || last < first) {
    throw new RangeError(`"${range}" in the hosts "${part}" is no number and no range of numbers`);
  }
  if (last - first >= mostHosts) throw new RangeError(`the list of hosts has more than ${mostHosts}`);
  return Array.from({ length: last - first + 1 }, (_, i) => String(first + i).padStart(ends[1]!.length, "0"));
}
