/** The addresses of the pages. Names of runs are one component of a path, whatever they hold. */
export const runAddress = (name: string) => `/run/${encodeURIComponent(name)}`;
export const imagesAddress = (name: string) => `${runAddress(name)}/images`;
export const reportAddress = (kind: "run" | "study", name: string) =>
  `/${kind}/${encodeURIComponent(name)}/report`;
export const studyAddress = (name: string) => `/study/${encodeURIComponent(name)}`;
export const compareAddress = (names: readonly string[]) =>
  `/compare?${names.map((name) => `run=${encodeURIComponent(name)}`).join("&")}`;
