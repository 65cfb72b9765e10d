/**
 * Writes FOLDER/project: a package.json that depends on the packed Lyceum in FOLDER, and a lock file with the
 * versions of this checkout's, so that npm finds all of them in its cache.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [folder] = process.argv.slice(2);
const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
const { dependencies, bin, engines, version } = lock.packages[""];
const archive = `file:../${readdirSync(folder).find((file) => file.endsWith(".tgz"))}`;
const installed = (name) => lock.packages[`node_modules/${name}`].version;
const project = {
  name: "consumer",
  version: "1.0.0",
  type: "module",
  dependencies: { lyceum: archive },
  devDependencies: {
    "@types/node": installed("@types/node"),
    typescript: installed("typescript"),
  },
};
const packages = {
  ...lock.packages,
  "": project,
  "node_modules/lyceum": { version, resolved: archive, dependencies, bin, engines },
};
mkdirSync(join(folder, "project"));
writeFileSync(join(folder, "project/package.json"), JSON.stringify(project, null, 2));
writeFileSync(
  join(folder, "project/package-lock.json"),
  JSON.stringify({ ...lock, name: "consumer", packages }),
);
