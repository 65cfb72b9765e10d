/** `npm run bench`: measures Lyceum beside its peers in one run. See README.md beside this file. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { torch } from "lyceum";
import { isPyTorch, Peer, type PeerName, peerNames, usualPeers } from "./peer.js";
import { measurePeaks, type Peaks } from "./roofline/peak.js";
import { type Roofline, roofline, rooflineLine } from "./roofline/roofline.js";
import { table } from "./table.js";
import type { Loading, MeasuredLoad, Row, Work } from "./work.js";
import { augmentation } from "./works/augmentation.js";
import { dispatch } from "./works/dispatch.js";
import { freshWorks } from "./works/fresh.js";
import { networkWork } from "./works/networks.js";
import { quickstart } from "./works/quickstart.js";

const works: Work[] = [dispatch, ...networkWork, augmentation, ...freshWorks, quickstart];
const modelNames = [...new Set(works.flatMap(({ models }) => models ?? []))];

const latest = fileURLToPath(new URL("../../bench/results/latest.json", import.meta.url));

const help = `npm run bench -- [options]

  --work NAME      one of ${works.map((work) => work.name).join(", ")}; may be repeated, as the next two; default: all
  --model NAME     one of ${modelNames.join(", ")}; default: all
  --peer NAME      one of ${peerNames.join(", ")}; default: the first two on the CPU, else the others
  --device DEVICE  cpu, cuda or cuda:N (default: cpu); on a card only what trains or answers is measured
  --eager          on a card: Lyceum's steps operator by operator, not as CUDA graphs
  --quick          few repetitions, for a look
  --out FILE       write the result there as JSON; default: bench/results/latest.json, for a whole run only
  --threads N      threads on both sides (default: physical cores)
  --python PATH    the Python whose torch is the peer (default: /usr/bin/python3)
  --install-peer   as root on Debian or Ubuntu: install python3-torch first`;

function options() {
  const { values } = parseArgs({
    options: {
      work: { type: "string", multiple: true },
      model: { type: "string", multiple: true },
      peer: { type: "string", multiple: true },
      device: { type: "string", default: "cpu" },
      eager: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      out: { type: "string" },
      threads: { type: "string" },
      python: { type: "string", default: "/usr/bin/python3" },
      "install-peer": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const pick = <Name extends string>(
    kind: string,
    wanted: string[] | undefined,
    known: readonly Name[],
  ): Name[] => {
    const unknown = wanted?.find((name) => !known.some((other) => other === name));
    if (unknown !== undefined) throw new Error(`there is no ${kind} "${unknown}"\n\n${help}`);
    return known.filter((name) => !wanted || wanted.includes(name));
  };
  const chosen = pick(
    "work",
    values.work,
    works.map(({ name }) => name),
  );
  if (!/^(cpu|cuda(:\d+)?)$/.test(values.device)) throw new Error(`--device ${values.device}\n\n${help}`);
  const device = values.device as torch.Device;
  return {
    ...values,
    device,
    works: works.filter(({ name, onCards }) => chosen.includes(name) && (device === "cpu" || onCards)),
    models: values.model && pick("model", values.model, modelNames),
    peers: values.peer ? pick("peer", values.peer, peerNames) : usualPeers(device),
  };
}

function installPeer(): void {
  const packages = ["python3-torch", "python3-numpy", "libopenblas0-openmp"];
  const arguments_ = ["install", "--yes", "--quiet", "--no-install-recommends", ...packages];
  const { status } = spawnSync("apt-get", arguments_, { stdio: "inherit" });
  if (status !== 0) throw new Error(`apt-get ${arguments_.join(" ")} failed`);
}

async function startPeer(name: PeerName, threads: number): Promise<Peer[]> {
  const { python, device } = given;
  try {
    return [await Peer.start(name, python, threads, device)];
  } catch (error) {
    const problem = error instanceof Error ? error.message : error;
    if (!isPyTorch(name)) {
      console.log(`${name} could not run: ${problem}`);
      return [];
    }
    console.log(
      `${name} could not run in ${python}: ${problem}\n` +
        "  Debian and Ubuntu: sudo apt-get install python3-torch (or npm run bench -- --install-peer, as root)\n" +
        "  elsewhere: npm run bench -- --python PATH, a Python that has torch and numpy",
    );
    return [];
  }
}

function peaksHere(threads: number): Peaks | undefined {
  try {
    return measurePeaks(threads);
  } catch (error) {
    console.log(`no roofline: the machine's peak could not be measured: ${(error as Error).message}`);
    return undefined;
  }
}

// Processes that train together are measured by a program of their own.
if (process.argv[2] === "ranks") {
  await import("./ranks/main.js");
  process.exit();
}
const given = options();
if (given.help) {
  console.log(help);
  process.exit(0);
}
if (given["install-peer"]) installPeer();
if (given.device !== "cpu" && !torch.cudaAvailable())
  throw new Error(`--device ${given.device}: this libtorch (${torch.version()}) finds no CUDA device`);
if (given.threads) torch.setNumThreads(Number(given.threads));
const threads = torch.getNumThreads();
const started: Peer[] = [];
for (const name of given.peers) started.push(...(await startPeer(name, threads)));
const peers = started.filter(({ name }) => isPyTorch(name));
const tfjs = started.find(({ name }) => !isPyTorch(name));
const machine = {
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  cores: torch.physicalCores(),
  threads,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  system: `${type()} ${release()}`,
  node: process.version,
  libtorch: torch.version(),
  pytorch: peers[0]?.version,
  tfjs: tfjs?.version,
  device: given.device,
  ...(given.device !== "cpu" && {
    card: torch.cudaDevice(given.device),
    cudaGraphs: torch.hasCudaGraphs() && !given.eager,
  }),
};
console.log(
  `${machine.cpu}, ${threads} threads, ${given.device}; Node ${machine.node}; libtorch ${machine.libtorch}`,
);

const rows: Row[] = [];
const loads: MeasuredLoad[] = [];
let loading: Loading | undefined;
const whole = !given.quick && !given.work && !given.model && !given.peer && given.device === "cpu";

function write(out: string, peaks?: Peaks, rooflines?: Roofline[]): void {
  mkdirSync(dirname(out), { recursive: true });
  const command = ["npm run bench", ...(process.argv.length > 2 ? ["--", ...process.argv.slice(2)] : [])];
  const result = {
    machine,
    date: new Date().toISOString(),
    command: command.join(" "),
    rows,
    loading,
    peaks,
    roofline: rooflines,
  };
  const rounded = (_: string, value: unknown) =>
    typeof value === "number" ? Number(value.toPrecision(4)) : value;
  writeFileSync(out, `${JSON.stringify(result, rounded, 2)}\n`);
}

try {
  const { quick, device, eager } = given;
  const onLoad = (load: MeasuredLoad) => void loads.push(load);
  const onLoading = (found: Loading) => {
    loading = found;
  };
  const context = { peers, tfjs, device, recorded: !eager, quick, onLoad, onLoading };
  for (const work of given.works) {
    // Rows are written after each network, so that they are kept if the run is stopped.
    const models = given.models ?? modelNames;
    for (const chosen of work.models ? models.map((model) => [model]) : [given.models]) {
      rows.push(...(await work.run({ ...context, models: chosen })));
      if (given.out) write(given.out);
    }
  }
} finally {
  for (const peer of started) peer.stop();
}
console.log(`\n${table(rows)}`);

// There is a roofline for the processor only: its peaks are measured, a card's are not.
const peaks = loads.length > 0 && given.device === "cpu" ? peaksHere(threads) : undefined;
const rooflines: Roofline[] = peaks
  ? loads.flatMap(({ load, precision, seconds, ...which }) => {
      const peak = peaks[precision];
      return peak ? roofline(which, load, peak, seconds) : [];
    })
  : [];
if (peaks) {
  const rate = (perSecond: number) => `${(perSecond / 1e9).toFixed(perSecond < 1e11 ? 1 : 0)} G`;
  const rates = (["float32", "bfloat16"] as const).flatMap((precision) => {
    const peak = peaks[precision];
    return peak ? `${rate(peak.flopsPerSecond)}FLOP/s in ${precision}` : [];
  });
  console.log(`\nroofline: ${rates.join(", ")}, ${rate(peaks.float32.bytesPerSecond)}B/s`);
  for (const line of rooflines.map(rooflineLine)) console.log(`  ${line}`);
}

const out = given.out ?? (whole ? latest : undefined);
if (out) {
  write(out, peaks, rooflines);
  console.log(`\nwritten to ${out}`);
}
