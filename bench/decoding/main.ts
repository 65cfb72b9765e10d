/**
 * Measures how many JPEG files a second become random crops: by Lyceum, by torchvision's DataLoader with as many workers as
 * Lyceum has threads, and, without any crop, by libjpeg-turbo alone. All in one run and in turns, on the same files, which are
 * in the page cache. Lyceum and torchvision crop (RandomResizedCrop), mirror half of the images and give batches of 64 of
 * bytes. The ratios are those of the medians. Where other programs run, rates depend on how many threads each side has ready
 * to run; processor time for an image does not, and is told too.
 *
 *   npx tsc -p bench && node build/bench/decoding/main.js --folder NAME=PATH [--folder …] [--size 128 --size 224]
 *     [--rounds 12] [--threads 2] [--python /usr/bin/python3] [--out bench/results/decoding.json]
 *
 * PATH holds a folder for each class. The Python needs torchvision (Debian's python3-torchvision); a C++ compiler and
 * libjpeg-turbo's headers are needed too.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { data } from "lyceum";
import { plainEnvironment } from "../environment.js";
import { interleave, type Spread, spread } from "../sampling.js";

const { values: given } = parseArgs({
  options: {
    folder: { type: "string", multiple: true, default: [] },
    size: { type: "string", multiple: true, default: ["128", "224"] },
    rounds: { type: "string", default: "12" },
    threads: { type: "string", default: "2" },
    python: { type: "string", default: "/usr/bin/python3" },
    out: { type: "string" },
  },
});
const [rounds, threads] = [Number(given.rounds), Number(given.threads)];
const batchSize = 64;
/** Each turn goes through about so many images. */
const imagesPerTurn = 3000;
if (given.folder.length === 0) throw new Error("--folder NAME=PATH is needed, a folder of class folders");

const here = (name: string) => fileURLToPath(new URL(`../../../bench/decoding/${name}`, import.meta.url));
const bare = fileURLToPath(new URL("../bare", import.meta.url));
execFileSync("g++", ["-O2", here("bare.cpp"), "-ljpeg", "-lpthread", "-o", bare]);

const peer = spawn(given.python, [here("peer.py")], {
  stdio: ["pipe", "pipe", "inherit"],
  env: plainEnvironment(),
});
const answers = createInterface(peer.stdout)[Symbol.asyncIterator]();
let peerVersions = "";
/** Wall-clock seconds and seconds of processor time that some images took. */
interface Turn {
  images: number;
  seconds: number;
  cpuSeconds: number;
}

async function byTorchvision(folder: string, size: number, epochs: number): Promise<Turn> {
  peer.stdin.write(`${JSON.stringify({ folder, size, epochs, batchSize, workers: threads })}\n`);
  const { value, done } = await answers.next();
  if (done) throw new Error(`${given.python} ${here("peer.py")} ended: it needs torchvision`);
  const { versions, ...turn } = JSON.parse(value) as Turn & { versions: string };
  peerVersions = versions;
  return turn;
}

let epoch = 0;
/** Batches that are in the making; a DataLoader has twice as many as workers. */
const prefetched = 2 * threads;

/** Lets Lyceum go through files. */
async function byLyceum(paths: string[], size: number, epochs: number): Promise<Turn> {
  const start = performance.now();
  const before = process.cpuUsage();
  let images = 0;
  for (let e = 0; e < epochs; e++, epoch++) {
    const order = data.shuffled(
      Int32Array.from(paths, (_, i) => i),
      0,
      epoch,
    );
    const random = new data.RandomSequence(epoch);
    const make = (from: number) => {
      const indices = order.subarray(from, from + batchSize);
      const places = data.placesOf(Array.from(indices, (i) => ({ path: paths[i]! })));
      const view = { kind: "random", height: size, width: size } as const;
      const mirrored = Uint8Array.from(indices, () => random.below(2));
      return data.decodeBatch(places, view, { keys: data.boxKeys(indices, 0, epoch), mirrored, threads });
    };
    const starts = Array.from({ length: Math.ceil(paths.length / batchSize) }, (_, i) => i * batchSize);
    const making = starts.splice(0, prefetched).map(make);
    while (making.length > 0) {
      const { pixels, outcomes } = await making.shift()!;
      making.push(...starts.splice(0, 1).map(make));
      const bad = outcomes.find(({ status }) => status !== "ok");
      if (bad) throw new Error(`an image ${bad.problem}`);
      images += outcomes.length;
      pixels.dispose();
    }
  }
  const { user, system } = process.cpuUsage(before);
  return { images, seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 };
}

function byLibjpeg(paths: string[], epochs: number): Turn {
  const told = execFileSync(bare, [String(threads), String(epochs)], { input: paths.join("\n") }).toString();
  const [seconds, cpuSeconds] = told.split(" ").map(Number) as [number, number];
  return { images: paths.length * epochs, seconds, cpuSeconds };
}

/** What the turns of one side came to. */
interface Side {
  imagesPerSecond: Spread;
  /** Microseconds of processor time for an image. */
  cpuMicroseconds: Spread;
}

const sideOf = (turns: Turn[]): Side => ({
  imagesPerSecond: spread(turns.map(({ images, seconds }) => images / seconds)),
  cpuMicroseconds: spread(turns.map(({ images, cpuSeconds }) => (cpuSeconds / images) * 1e6)),
});

/** How many times as fast the first side is, and how much less it computes. */
const ratios = (a: Side, b: Side) => ({
  rate: a.imagesPerSecond.median / b.imagesPerSecond.median,
  cpu: b.cpuMicroseconds.median / a.cpuMicroseconds.median,
});

interface Row {
  set: string;
  size: number;
  images: number;
  lyceum: Side;
  torchvision: Side;
  libjpeg: Side;
  overTorchvision: ReturnType<typeof ratios>;
  overLibjpeg: ReturnType<typeof ratios>;
}

const rows: Row[] = [];
for (const named of given.folder) {
  const [set, folder] = named.split(/=(.*)/s) as [string, string];
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const epochs = Math.max(1, Math.round(imagesPerTurn / paths.length));
  for (const size of given.size.map(Number)) {
    const turns: [Turn[], Turn[], Turn[]] = [[], [], []];
    const keep = (side: number, turn: Turn) => {
      turns[side]!.push(turn);
      return [0];
    };
    await interleave(rounds, [
      async () => keep(0, await byLyceum(paths, size, epochs)),
      async () => keep(1, await byTorchvision(folder, size, epochs)),
      () => keep(2, byLibjpeg(paths, epochs)),
    ]);
    // The first turn of each is for warming up.
    const [lyceum, torchvision, libjpeg] = turns.map((side) => sideOf(side.slice(1))) as [Side, Side, Side];
    const overTorchvision = ratios(lyceum, torchvision);
    const overLibjpeg = ratios(lyceum, libjpeg);
    rows.push({
      set,
      size,
      images: paths.length,
      lyceum,
      torchvision,
      libjpeg,
      overTorchvision,
      overLibjpeg,
    });
    const text = ({ imagesPerSecond: { median, lower, upper }, cpuMicroseconds }: Side) =>
      `${median.toFixed(0)}/s [${lower.toFixed(0)}, ${upper.toFixed(0)}], ${cpuMicroseconds.median.toFixed(0)} us CPU`;
    console.log(
      `${set} to ${size}: Lyceum ${text(lyceum)}; torchvision ${text(torchvision)}, ratio ` +
        `${overTorchvision.rate.toFixed(2)}, of CPU ${overTorchvision.cpu.toFixed(2)}; libjpeg-turbo, whole files ` +
        `${text(libjpeg)}, ratio ${overLibjpeg.rate.toFixed(2)}, of CPU ${overLibjpeg.cpu.toFixed(2)}`,
    );
  }
}
peer.stdin.end();
await once(peer, "exit");

if (given.out) {
  const machine = `${cpus()[0]?.model.trim()}, ${threads} threads`;
  const result = {
    command: `node build/bench/decoding/main.js ${process.argv.slice(2).join(" ")}`,
    date: new Date().toISOString().slice(0, 10),
    machine,
    peer: peerVersions,
    what: `RandomResizedCrop and mirroring, batches of ${batchSize} of bytes; medians and quartiles of ${rounds} turns`,
    rows,
  };
  const rounded = (_: string, value: unknown) =>
    typeof value === "number" ? Number(value.toPrecision(4)) : value;
  writeFileSync(given.out, `${JSON.stringify(result, rounded, 2)}\n`);
  console.log(`written to ${given.out}`);
}
