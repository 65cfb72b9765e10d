import { findDataset } from "../data/places.js";
import { datasets } from "../data/sets/index.js";

/** A data set that Lyceum defines, and where it lies on this machine. */
export interface FoundSet {
  name: string;
  description: string;
  /**
   * The set's folder or archive, or in words where its images come from, as "made, not stored"; null when it is not on this
   * machine.
   */
  place: string | null;
}

/** Looks for every data set in the usual places, without reading any of it. */
export async function findSets(): Promise<FoundSet[]> {
  return Promise.all(
    datasets.map(async ({ name, summary: description, from }) => {
      if ("make" in from) return { name, description, place: from.where ?? "made, not stored" };
      const found = await findDataset(name, from.layout, from).catch(() => undefined);
      const place = found ? ("archive" in found ? found.archive : found.folder) : null;
      return { name, description, place };
    }),
  );
}
