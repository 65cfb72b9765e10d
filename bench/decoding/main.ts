/**
 * Measures how many JPEG files a second become random crops: by Lyceum, by torchvision's DataLoader with as many workers as
 * Lyceum has threads, and, without any crop, by libjpeg-turbo alone. All in one run and in turns, on the same files, which are
 * in the page cache. Lyceum and torchvision crop (RandomResizedCrop), mirror half of the images and give batches of 64 of
 * bytes. The ratios are those of the medians.
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
import { data, torch } from "lyceum";
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
/** Lets torchvision go through a folder. @returns images a second */
async function byTorchvision(folder: string, size: number, epochs: number): Promise<number> {
  peer.stdin.write(`${JSON.stringify({ folder, size, epochs, batchSize, workers: threads })}\n`);
  const { value, done } = await answers.next();
  if (done) throw new Error(`${given.python} ${here("peer.py")} ended: it needs torchvision`);
  const { seconds, images, versions } = JSON.parse(value) as {
    seconds: number;
    images: number;
    versions: string;
  };
  peerVersions = versions;
  return images / seconds;
}

// Threads for the copying of so little would only stand in the way of those that decode.
torch.setNumThreads(1);

/** Mirrors half of the images of a batch, in place. */
function mirrorHalf(pixels: torch.Tensor, random: data.RandomSequence): void {
  torch.scope(() => {
    for (let b = 0; b < pixels.shape[0]!; b++) {
      if (random.below(2) === 0) continue;
      const image = pixels.select(0, b);
      image.copy_(image.flip([2]));
    }
  });
}

let epoch = 0;
/** Batches that are in the making; a DataLoader has twice as many as workers. */
const prefetched = 2 * threads;

/** Lets Lyceum go through files. */
async function byLyceum(paths: string[], size: number, epochs: number): Promise<number> {
  const start = performance.now();
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
      return data.decodeBatch(places, view, { keys: data.boxKeys(indices, 0, epoch), threads });
    };
    const starts = Array.from({ length: Math.ceil(paths.length / batchSize) }, (_, i) => i * batchSize);
    const making = starts.splice(0, prefetched).map(make);
    while (making.length > 0) {
      const { pixels, outcomes } = await making.shift()!;
      making.push(...starts.splice(0, 1).map(make));
      const bad = outcomes.find(({ status }) => status !== "ok");
      if (bad) throw new Error(`an image ${bad.problem}`);
      mirrorHalf(pixels, random);
      images += outcomes.length;
      pixels.dispose();
    }
  }
  return images / ((performance.now() - start) / 1000);
}

function byLibjpeg(paths: string[], epochs: number): number {
  const seconds = Number(execFileSync(bare, [String(threads), String(epochs)], { input: paths.join("\n") }));
  return (paths.length * epochs) / seconds;
}

interface Row {
  set: string;
  size: number;
  images: number;
  /** Images a second. */
  lyceum: Spread;
  torchvision: Spread;
  libjpeg: Spread;
  overTorchvision: number;
  overLibjpeg: number;
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
    const [lyceum, torchvision, libjpeg] = (
      await interleave(rounds, [
        async () => [await byLyceum(paths, size, epochs)],
        async () => [await byTorchvision(folder, size, epochs)],
        () => [byLibjpeg(paths, epochs)],
      ])
    ).map(spread) as [Spread, Spread, Spread];
    const overTorchvision = lyceum.median / torchvision.median;
    const overLibjpeg = lyceum.median / libjpeg.median;
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
    const rate = ({ median, lower, upper }: Spread) =>
      `${median.toFixed(0)} [${lower.toFixed(0)}, ${upper.toFixed(0)}]`;
    console.log(
      `${set} to ${size}: images/s Lyceum ${rate(lyceum)}, torchvision ${rate(torchvision)} (${overTorchvision.toFixed(2)}), ` +
        `libjpeg-turbo, whole files ${rate(libjpeg)} (${overLibjpeg.toFixed(2)})`,
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
    what: `RandomResizedCrop and mirroring, batches of ${batchSize} of bytes; medians and quartiles of ${rounds} turns in images a second`,
    rows,
  };
  const rounded = (_: string, value: unknown) =>
    typeof value === "number" ? Number(value.toPrecision(4)) : value;
  writeFileSync(given.out, `${JSON.stringify(result, rounded, 2)}\n`);
  console.log(`written to ${given.out}`);
}
