/**
 * Builds and runs the fuzzers of native code (libFuzzer with AddressSanitizer and UndefinedBehaviorSanitizer), and adds what
 * they ran to results/fuzz-native.json:
 *
 *   npm run fuzz:native                          a million inputs for each fuzzer
 *   npm run fuzz:native -- --runs 1000 exif      so many for one
 *   npm run fuzz:native -- --dry                 leaves the results as they are
 *
 * What they find is kept in build/fuzz/corpus, where the next run goes on. An input that a fuzzer did not survive lies in
 * build/fuzz/NAME-crash-HASH; `build/fuzz/native/fuzz_NAME FILE` runs it again.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";

/** The fuzzers: the longest input in bytes. Each is a source of this name. */
const fuzzers = { image: 6000, exif: 300, view: 200, operations: 200, svm: 400 };

/** The exit code of libFuzzer where somebody ended it. */
const interrupted = 72;

const { values, positionals } = parseArgs({
  options: {
    runs: { type: "string", default: "1000000" },
    dry: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const names = positionals.length > 0 ? positionals : Object.keys(fuzzers);
for (const name of names) {
  if (!(name in fuzzers))
    throw new Error(`there is no fuzzer ${name}, but ${Object.keys(fuzzers).join(", ")}`);
}

function has(command) {
  try {
    execFileSync(command, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function run(command, args, env = {}) {
  execFileSync(command, args, { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...env } });
}

/** clang++ with libFuzzer: of Debian 12, or what CXX names. */
function compiler() {
  const known = [process.env.CXX, "clang++-14", "clang++"].find(
    (name) => name?.includes("clang") && has(name),
  );
  if (known) return known;
  const packages = ["clang-14", "libclang-rt-14-dev", "llvm-14"];
  if (process.getuid?.() !== 0 || !has("apt-get")) {
    throw new Error(`libFuzzer comes with clang: apt-get install ${packages.join(" ")}`);
  }
  run("apt-get", ["-q", "update"]);
  run("apt-get", ["-q", "-y", "install", "--no-install-recommends", ...packages], {
    DEBIAN_FRONTEND: "noninteractive",
  });
  return "clang++-14";
}

/** An instrumented libjpeg, or none where its source cannot be had: the fuzzers do not see into the system's library then. */
function jpegSource(cxx) {
  const folder = `${process.cwd()}/build/fuzz/libjpeg`;
  try {
    run("fuzz/libjpeg", [folder], { CXX: cxx });
    return `${folder}/source`;
  } catch {
    console.log("fuzz: libjpeg-turbo's source cannot be had, so the system's library is used as it is");
    return "";
  }
}

/** The source of liblinear. */
function linearSource() {
  const folder = `${process.cwd()}/build/fuzz/liblinear`;
  run("fuzz/liblinear", [folder]);
  return `${folder}/source`;
}

/** Runs one fuzzer. @returns its numbers, and whether it survived */
async function fuzz(name) {
  const corpus = `build/fuzz/corpus/${name}`;
  mkdirSync(corpus, { recursive: true });
  const seeds = [`fuzz/seeds/${name}`].filter(existsSync);
  const flags = {
    runs: values.runs,
    max_len: fuzzers[name],
    // In MiB, and in seconds, of which a busy machine needs many for a little work.
    ...{ rss_limit_mb: 600, malloc_limit_mb: 200, timeout: 100 },
    ...{ print_final_stats: 1, artifact_prefix: `build/fuzz/${name}-` },
  };
  const args = [...Object.entries(flags).map(([key, value]) => `-${key}=${value}`), corpus, ...seeds];
  const began = performance.now();
  const child = spawn(`build/fuzz/native/fuzz_${name}`, args, { stdio: ["ignore", "inherit", "pipe"] });
  let end = "";
  let edges = 0;
  child.stderr.setEncoding("utf8").on("data", (text) => {
    edges ||= Number(/\((\d+) PCs\)/.exec(text)?.[1] ?? 0);
    end = (end + text).slice(-20_000);
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  const survived = code === 0 || code === interrupted;
  const number = (pattern) => Number([...end.matchAll(pattern)].at(-1)?.[1] ?? 0);
  const found = {
    date: new Date().toISOString().slice(0, 10),
    machine: cpus()[0]?.model.trim() ?? "unknown",
    fuzzer: name,
    executions: number(/stat::number_of_executed_units:\s*(\d+)/g),
    seconds: Math.round((performance.now() - began) / 1000),
    coveredEdges: number(/cov: (\d+)/g),
    edges,
    corpus: number(/corp: (\d+)/g),
    slowestSeconds: number(/stat::slowest_unit_time_sec:\s*(\d+)/g),
    peakMiB: number(/stat::peak_rss_mb:\s*(\d+)/g),
    survived,
  };
  if (!survived) console.log(end);
  console.log(JSON.stringify(found));
  return found;
}

const cxx = compiler();
const source = names.some((name) => name !== "svm") ? jpegSource(cxx) : "";
const linear = names.includes("svm") ? linearSource() : "";
run("cmake", [
  ...["-S", "fuzz", "-B", "build/fuzz/native", "-DCMAKE_BUILD_TYPE=Release"],
  ...[`-DCMAKE_CXX_COMPILER=${cxx}`, `-DLYCEUM_JPEG_SOURCE=${source}`, `-DLYCEUM_LINEAR_SOURCE=${linear}`],
]);
run("cmake", [
  ...["--build", "build/fuzz/native", "--parallel", process.env.JOBS ?? String(cpus().length)],
  ...["--target", ...names.map((name) => `fuzz_${name}`)],
]);

const path = "results/fuzz-native.json";
const about =
  "Inputs to native code that reads what strangers made (fuzz/). `npm run fuzz:native` adds a row.";
let failed = false;
for (const name of names) {
  const found = await fuzz(name);
  failed ||= !found.survived;
  if (values.dry) continue;
  const results = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : { about, runs: [] };
  results.runs.push(found);
  writeFileSync(path, `${JSON.stringify(results, undefined, 2)}\n`);
}
process.exitCode = failed ? 1 : 0;
