/**
 * What watching costs a training: 60 epochs with and without `lyceum watch` and a viewer, in turns; the same bits, and the time of
 * an epoch. Then how long the page takes for 200 runs, and for one with a log of 100,000 epochs. The viewer asks for what a browser
 * asks for, and draws nothing.
 *
 *   npx tsc -p bench && node build/bench/probes/watched.js [--pairs 2] [--out results/watched.json]
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const { values: given } = parseArgs({
  options: { pairs: { type: "string", default: "2" }, out: { type: "string" } },
});

const program = resolve("dist/cli/main.js");
const root = mkdtempSync(join(tmpdir(), "lyceum-watched-"));
const recipe = `
data: { name: synthetic, trainCount: 2000, testCount: 200, size: 16, heldOut: 0.1 }
model: resnet8
patriarch: { k: 5, primaryScore: 0.8 }
generations: 2
epochs: 30
batchSize: 32
threads: 1
`;

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;
const sleep = (seconds: number) => new Promise((done) => setTimeout(done, 1000 * seconds));

interface Trained {
  sha256: string;
  /** The median of the epochs' seconds. */
  epochSeconds: number;
}

async function train(name: string): Promise<Trained> {
  const args = [program, "train", join(root, "recipe.yaml"), "--out", join(root, "runs"), "--name", name];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  const code = await new Promise((done) => child.once("exit", done));
  if (code !== 0) throw new Error(`${name} ended with ${code}`);
  const folder = join(root, "runs", name);
  const hash = createHash("sha256");
  for (const generation of [0, 1])
    for (const file of ["weights", "test-logits"])
      hash.update(readFileSync(join(folder, `generation-${generation}/${file}.safetensors`)));
  const lines = readFileSync(join(folder, "metrics.jsonl"), "utf8").trim().split("\n");
  const seconds = lines.map((line) => JSON.parse(line).seconds as number);
  return { sha256: hash.digest("hex"), epochSeconds: median(seconds) };
}

/** Starts the page. @returns its process and its address */
async function watch(folder: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [program, "watch", folder, "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await new Promise<string>((done) => {
    let told = "";
    child.stdout!.on("data", (text) => {
      told += text;
      const [found] = /http:\/\/\S+/.exec(told) ?? [];
      if (found) done(found);
    });
  });
  return { child, url };
}

/** Listens to the events, and asks for the run's page and the list as a browser does, once a second at most. */
async function view(
  url: string,
  pages: readonly string[],
  signal: AbortSignal,
): Promise<{ updates: number }> {
  const told = { updates: 0 };
  const have = new Map<string, string>();
  const update = async (page: string) => {
    const response = await fetch(url + page, { headers: { "x-have": have.get(page) ?? "" }, signal });
    if (!response.ok) return;
    const { parts } = (await response.json()) as { parts: { name: string; version: string }[] };
    have.set(page, parts.map(({ name, version }) => `${name}=${version}`).join(","));
    told.updates++;
  };
  try {
    const { body } = await fetch(`${url}events`, { signal });
    for await (const _ of body as unknown as AsyncIterable<Uint8Array>) {
      for (const page of pages) await update(page);
      await sleep(1);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return told;
}

/** The processor's seconds of a process, user and system, by /proc. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const residentMiB = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;

/** Asks for a page. @returns how long it takes, and the processor's seconds of the server meanwhile */
async function timed(url: string, pid: number): Promise<{ ms: number; cpuSeconds: number }> {
  const [began, before] = [performance.now(), cpuSeconds(pid)];
  await (await fetch(url)).text();
  const used = Number((cpuSeconds(pid) - before).toFixed(2));
  return { ms: Math.round(performance.now() - began), cpuSeconds: used };
}

writeFileSync(join(root, "recipe.yaml"), recipe);
mkdirSync(join(root, "runs"));
const pairs: { plain: Trained; watched: Trained; updates: number; watcherCpuSeconds: number }[] = [];
await train("warm");
for (let i = 0; i < Number(given.pairs); i++) {
  const plain = await train(`plain-${i}`);
  const { child, url } = await watch(join(root, "runs"));
  const stop = new AbortController();
  const page = `run/${encodeURIComponent(join(root, "runs", `watched-${i}`))}`;
  const viewing = view(url, ["", page], stop.signal);
  const watched = await train(`watched-${i}`);
  const watcherCpuSeconds = cpuSeconds(child.pid!);
  stop.abort();
  const { updates } = await viewing;
  child.kill();
  pairs.push({ plain, watched, updates, watcherCpuSeconds });
  console.log(
    `plain ${plain.epochSeconds.toFixed(3)} s an epoch, watched ${watched.epochSeconds.toFixed(3)} s; ` +
      `${updates} updates, ${watcherCpuSeconds} s of the processor; ${plain.sha256 === watched.sha256 ? "the same bits" : "OTHER BITS"}`,
  );
}

const many = join(root, "many");
for (let i = 0; i < 200; i++) cpSync(join(root, "runs/plain-0"), join(many, `run-${i}`), { recursive: true });
const record = JSON.parse(readFileSync(join(many, "run-0/metrics.jsonl"), "utf8").split("\n")[0]!);
delete record.checksum;
const long = Array.from({ length: 100_000 }, (_, i) =>
  JSON.stringify({ ...record, epoch: i + 1, epochs: 100_000 }),
);
writeFileSync(join(many, "run-0/metrics.jsonl"), `${long.join("\n")}\n`);
const { child, url } = await watch(many);
const pid = child.pid!;
const startCpuSeconds = cpuSeconds(pid);
const first = await timed(url, pid);
const again = await timed(url, pid);
const longUrl = `${url}run/${encodeURIComponent(join(many, "run-0"))}`;
const longLog = await timed(longUrl, pid);
const longLogAgain = await timed(longUrl, pid);
const stop = new AbortController();
const viewing = view(url, [""], stop.signal);
const before = cpuSeconds(pid);
await sleep(30);
const idleCpuSharePercent = Number(((100 * (cpuSeconds(pid) - before)) / 30).toFixed(2));
const mib = Math.round(residentMiB(pid));
stop.abort();
await viewing;
child.kill();
rmSync(root, { recursive: true });
const result = {
  command: `node build/bench/probes/watched.js --pairs ${given.pairs}`,
  date: new Date().toISOString(),
  machine: { cpu: cpus()[0]!.model, cores: cpus().length, load: loadavg() },
  epochs: 60,
  ratio: median(pairs.map(({ plain, watched }) => watched.epochSeconds / plain.epochSeconds)),
  sameBits: pairs.every(({ plain, watched }) => plain.sha256 === watched.sha256),
  pairs,
  of200Runs: { startCpuSeconds, firstPage: first, nextPage: again, idleCpuSharePercent, residentMiB: mib },
  of100000Epochs: { firstPage: longLog, nextPage: longLogAgain },
};
console.log(JSON.stringify(result, null, 2));
if (given.out) writeFileSync(given.out, `${JSON.stringify(result, null, 2)}\n`);
