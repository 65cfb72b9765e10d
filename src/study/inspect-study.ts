/** Looks for what does not fit together in the folder of a study's results. */
import { type NetworkFile, whyForeign } from "./network-file.js";
import type { Plan } from "./plan.js";
import { type StudyFolder, shortOf } from "./study-folder.js";

/**
 * Looks for what does not fit together in a study's folder: networks that belong to no arm, that lack scores, or that
 * were trained by different kernels.
 *
 * @returns sentences that say what was found
 * @throws Error when networks were trained on different images, which cannot be compared
 */
export function inspectStudy(
  folder: StudyFolder,
  plan: Pick<Plan, "networks">,
  networks: ReadonlyMap<string, NetworkFile>,
): string[] {
  const planned = new Set(plan.networks.map(({ fingerprint }) => fingerprint));
  const files = [...networks.values()];
  const foreign = files.filter(({ fingerprint }) => !planned.has(fingerprint));
  const counted = files.filter(({ fingerprint }) => planned.has(fingerprint));
  const notes: string[] = [];
  const [stray] = foreign;
  if (stray) {
    const many = foreign.length === 1 ? "1 network here is" : `${foreign.length} networks here are`;
    notes.push(
      `${many} kept and not counted: ${folder.network(stray.fingerprint).file} ${whyForeign(stray)}`,
    );
  }
  for (const part of ["train", "test"] as const) {
    const firstOf = new Map<string, NetworkFile>();
    const other = counted.find((file) => {
      const data = JSON.stringify(file.decides.recipe.data);
      const like = firstOf.get(data) ?? file;
      firstOf.set(data, like);
      return file.images[part] !== like.images[part];
    });
    if (other)
      throw new Error(
        `${folder.network(other.fingerprint).file}: was trained on other images than the rest (their SHA-256 differ in the ` +
          `${part} part). Remove the files of networks that were trained on the wrong ones: \`lyceum study\` trains these again`,
      );
  }
  const { scores } = folder.list();
  const bare = counted.filter(({ fingerprint }) => !scores.has(shortOf(fingerprint)));
  if (bare[0]) {
    const { file, scores: path } = folder.network(bare[0].fingerprint);
    const many = bare.length === 1 ? "1 network here has" : `${bare.length} networks here have`;
    notes.push(
      `${many} no scores, so that there is no ensemble with them: put ${path} back, or remove ${file}, and \`lyceum study\` ` +
        "trains it again.",
    );
  }
  const kernels = new Map<string, number>();
  for (const { kernels: name } of counted) kernels.set(name, (kernels.get(name) ?? 0) + 1);
  if (kernels.size > 1) {
    const list = [...kernels].sort(([, a], [, b]) => b - a).map(([name, count]) => `${count} by ${name}`);
    notes.push(
      `The networks were trained by different kernels, whose sums round differently: ${list.join("; ")}. A network ` +
        "differs by that as by another order of its images: compare means over seeds, not single networks.",
    );
  }
  return notes;
}
