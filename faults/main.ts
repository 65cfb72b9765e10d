/** `npm run faults`: strikes small real trainings by faults, and checks to what end they come. See CONTRIBUTING.md. */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { parseArgs } from "node:util";
import { faultsOf } from "./faults.js";
import { jobNames } from "./jobs.js";
import { packageFile } from "./package-file.js";
import { ResultsFile } from "./results-file.js";
import { digestLinesOf, isSound, linesOf } from "./table.js";
import { tryFaults } from "./try-faults.js";
import { Workplace } from "./workplace.js";

const help = `npm run faults -- [options]

  --kills N     how often jobs are killed at random moments (default: 200; with --quick: 6)
  --tries N     how often every other fault is tried (default: as each says)
  --only TEXT   only the faults whose name has this in it; may be repeated
  --quick       a few tries of each, within a minute on a quiet machine of two cores
  --seed N      decides moments, bits and lengths (default: another each time, which is printed)
  --jobs N      jobs at the same time (default: one a core)
  --out FILE    keeps the rows in a file, which is written after each try: the same command goes on with it
  --json        the rows as JSON on stdout, progress on stderr
  --keep        leaves the temporary folder`;

const { values } = parseArgs({
  options: {
    kills: { type: "string" },
    tries: { type: "string" },
    only: { type: "string", multiple: true },
    quick: { type: "boolean", default: false },
    seed: { type: "string" },
    jobs: { type: "string" },
    out: { type: "string" },
    json: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

function whole(name: string, text: string | undefined, usual: number, least: number): number {
  const value = text === undefined ? usual : Number(text);
  if (!Number.isSafeInteger(value) || value < least)
    throw new Error(`--${name}: must be a whole number of at least ${least}, got ${text}`);
  return value;
}

/** Opens the file of results, which must be of the same version, machine and options. */
function recordIn(path: string, seed: number | undefined): ResultsFile {
  const { version } = JSON.parse(readFileSync(packageFile("package.json"), "utf8")) as { version: string };
  const { quick, kills, tries } = values;
  const options = { quick, ...(kills !== undefined && { kills }), ...(tries !== undefined && { tries }) };
  return ResultsFile.open(
    path,
    { lyceum: version, machine: cpus()[0]?.model.trim() ?? "unknown", options },
    seed,
  );
}

async function run(): Promise<void> {
  if (values.help) return console.log(help);
  const asked = values.seed === undefined ? undefined : whole("seed", values.seed, 0, 0);
  const quickKills = values.kills === undefined ? 6 : whole("kills", values.kills, 6, 1);
  const kills = { full: whole("kills", values.kills, 200, 1), quick: quickKills };
  const atOnce = whole("jobs", values.jobs, availableParallelism(), 1);
  const wanted = values.only ?? [""];
  const tries = values.tries === undefined ? undefined : whole("tries", values.tries, 1, 1);
  const [killed, ...others] = faultsOf(kills);
  const given = others.map((fault) => ({
    ...fault,
    tries: tries ? { full: tries, quick: tries } : fault.tries,
  }));
  const faults = [killed!, ...given].filter(({ name }) => wanted.some((text) => name.includes(text)));
  if (faults.length === 0) throw new Error(`no fault has ${wanted.join(" or ")} in its name`);
  const tell = (text: string) => (values.json ? console.error(text) : console.log(text));

  const record = values.out === undefined ? undefined : recordIn(values.out, asked);
  const seed = record?.seed ?? asked ?? Math.floor(Math.random() * 2 ** 31);
  const place = new Workplace();
  tell(`seed ${seed}; in ${place.root}`);
  const started = performance.now();
  // Without them there is nothing to compare with.
  for (const name of jobNames) await place.unbroken(name);
  const problems: string[] = [];
  const rows = await tryFaults(faults, place, {
    quick: values.quick,
    seed,
    atOnce,
    ...(record && { record }),
    onRow: (row, found) => {
      tell(`${row.survived}/${row.tries}  ${row.fault}`);
      for (const problem of found) tell(`  ${problem}`);
      problems.push(...found);
    },
    onMissing: (fault, why) => tell(`left out: ${fault}: ${why}`),
  });
  if (values.json) console.log(JSON.stringify({ rows }, null, 2));
  else
    console.log(
      [
        ...["", ...linesOf(rows), "", ...digestLinesOf(rows)],
        `\n${Math.round((performance.now() - started) / 1000)} s in all`,
      ].join("\n"),
    );
  if (!values.keep && problems.length === 0) place[Symbol.dispose]();
  else tell(`what was struck is in ${place.root}`);
  if (!isSound(rows)) process.exitCode = 1;
}

await run().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 2;
});
