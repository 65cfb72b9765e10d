import { findDataset } from "../data/places.js";
import { datasets } from "../data/sets/index.js";

/** A data set that Lyceum knows, and where it is on this machine. */
export interface FoundSet {
  name: string;
  description: string;
  /** Folder or archive; null when it is not here, "made, not stored" for a set without files. */
  place: string | null;
}

/** Looks for every known set in the usual places; nothing is read. */
export async function findSets(): Promise<FoundSet[]> {
  return Promise.all(
    datasets.map(async ({ name, summary: description, from }) => {
      if ("make" in from) return { name, description, place: "made, not stored" };
      const found = await findDataset(name, from.layout, from).catch(() => undefined);
      const place = found ? ("archive" in found ? found.archive : found.folder) : null;
      return { name, description, place };
    }),
  );
}
