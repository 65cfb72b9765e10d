import { stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { DataError } from "./data-error.js";
import { type Found, findParts, type Layout } from "./parts.js";

/** The folder where `npx lyceum data fetch` puts a set unless told: $LYCEUM_DATA/NAME, else ~/.cache/lyceum/NAME. */
export function fetchFolder(name: string): string {
  return join(process.env.LYCEUM_DATA || join(homedir(), ".cache", "lyceum"), name);
}

/** The places where a set is looked for, in order, when no root is given. */
export function usualPlaces(name: string, systemFolders: readonly string[] = []): string[] {
  const home = process.env.LYCEUM_DATA;
  return [
    ...(home ? [join(home, name)] : []),
    join("data", name),
    join(homedir(), ".cache", "lyceum", name),
    ...systemFolders,
  ];
}

/**
 * Finds the first place that holds a data set.
 *
 * @param options.root the only place to look in, when given
 * @throws DataError that lists the places, what each lacks, and the commands that get the set
 */
export async function findDataset(
  name: string,
  layout: Layout,
  options: { root?: string | undefined; systemFolders?: readonly string[]; package?: string | undefined },
): Promise<Found> {
  const { root, systemFolders } = options;
  const places = root === undefined ? usualPlaces(name, systemFolders) : [root];
  const searched: string[] = [];
  for (const place of places) {
    const found = await findParts(layout, place);
    if (typeof found !== "string") return found;
    searched.push(`  ${place} ${found}`);
  }
  // An archive that is there, or another file, is no folder to fetch into.
  const isFile = root !== undefined && (await stat(root).catch(() => undefined))?.isFile();
  const into = root === undefined || isFile ? "" : ` --root ${root}`;
  const commands = [`npx lyceum data fetch ${name}${into}`];
  if (options.package) commands.push(`apt install ${options.package}`);
  throw new DataError(
    { file: name },
    `the data set is in none of these places:\n${searched.join("\n")}\nTo get it: ${commands.join(", or ")}`,
    "Or give the folder that holds it: --set data.root=FOLDER in training, --root FOLDER in `npx lyceum data verify`",
  );
}
