/** Everything that reads a file which may come from anyone: one entry a reader. */
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openBytes } from "../data/byte-source.js";
import { readCifarRecords } from "../data/cifar-records.js";
import { decodeBatch, placesInMemory, placesOf } from "../data/decoding/index.js";
import { readIdx, readIdxLabels } from "../data/idx.js";
import { decodeImage, loadDataset, type StoredImages } from "../data/index.js";
import { findParts, readParts } from "../data/parts.js";
import { loadIndex, textsOf } from "../data/stored/index-file.js";
import { readMatlabStructures } from "../data/stored/matlab.js";
import { readRemote } from "../data/stored/remote.js";
import { tarEntries } from "../data/stored/tar.js";
import { writePhotos } from "../data/stored/testing/photos.js";
import { textAt } from "../data/stored/text-list.js";
import {
  nameAsTorchvision,
  readClassList,
  readHuggingFaceConfig,
  readWeightsFile,
} from "../interop/index.js";
import { unpickle } from "../interop/pickle/unpickle.js";
import { Archive } from "../interop/pytorch/archive.js";
import { stateDictMeaning } from "../interop/pytorch/meaning.js";
import * as nn from "../nn/index.js";
import { SGD } from "../optim/index.js";
import { loadRecipe, RecipeError, toYaml } from "../recipe/index.js";
import { listRuns, RunFolder, readProgress, readWeights, sha256Of } from "../runs/index.js";
import { openStudy } from "../study/open-study.js";
import { loadStudy } from "../study/study-file.js";
import { tinyStudy } from "../study/testing/tiny-study.js";
import * as torch from "../torch/index.js";
import { loadCheckpoint, saveCheckpoint } from "../training/index.js";
import { beginning } from "../training/train-network.js";
import { readTransfer, transferNames } from "../transfer/transfer-file.js";
import { type LyingServer, lies, liesFile, startLyingServer } from "./lying-server.js";
import { mendNetwork, mendPng, mendRun, mendTar, mendZip, withoutDigest } from "./mend.js";
import { type Files, plant, type Reader } from "./reader.js";
import * as seeds from "./seeds.js";

const remedy = "Get it again";
const source = (file: string) => ({ file, chunks: openBytes(file), remedy });
const root = fileURLToPath(new URL("../../", import.meta.url));
const fixture = (path: string) => readFileSync(join(root, "src", path));
const freed = (tensors: Readonly<Record<string, torch.Tensor>>) => {
  for (const tensor of Object.values(tensors)) tensor.dispose();
};
/** Names the file in an error of what reads bytes alone; one of the language's goes on as it is. */
const naming = (file: string, read: (bytes: Buffer) => unknown) => {
  try {
    return read(readFileSync(file));
  } catch (error) {
    throw (error as Error).constructor === Error
      ? new Error(`${file}: ${(error as Error).message}`, { cause: error })
      : error;
  }
};
/** The one file in a folder. */
const onlyFile = (folder: string) => join(folder, readdirSync(folder)[0]!);
/** Room for two images of CIFAR-100. */
const room = () => ({ images: new Uint8Array(2 * 3072), labels: [new Int32Array(2), new Int32Array(2)] });
const mapped = (files: Files, change: (bytes: Buffer) => Uint8Array): Files =>
  Object.fromEntries(Object.entries(files).map(([path, bytes]) => [path, change(Buffer.from(bytes))]));
/** Takes a damaged file's digest out, where its header can still be read. */
function withoutDigestIfAny(bytes: Buffer): Uint8Array {
  try {
    return withoutDigest(bytes);
  } catch {
    return bytes;
  }
}
/** A network of one layer with an optimiser that has taken a step. */
function learner() {
  const model = new nn.Linear(3, 2, { generator: new torch.Generator(1) });
  const optimizer = new SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9 });
  torch.scope(() =>
    model
      .forward(torch.ones([1, 3]))
      .sum()
      .backward(),
  );
  optimizer.step();
  return { model, optimizer };
}
const cached = (folder: string) =>
  loadDataset({ name: "folder", root: join(folder, "photos"), cache: join(folder, "cache"), size: 8 });

/** Shards of two images each, which lie beside what tells a server how it lies about them. */
async function shardSeeds(): Promise<Files> {
  const { "a.jpg": jpeg } = await seeds.images();
  const archive = await seeds.tar({ "0.jpg": jpeg!, "0.cls": "0", "1.jpg": jpeg!, "1.cls": "1\n" });
  return { "train.tar": archive, "test.tar": archive };
}
let server: LyingServer | undefined;

/** As many empty files with names of images as make a list that is kept, in folders that have not changed for long. */
function longList(): string {
  const list = mkdtempSync(join(tmpdir(), "lyceum-fuzz-list-"));
  for (const folder of ["train/ash", "train/birch", "val/ash", "val/birch"]) {
    mkdirSync(join(list, folder), { recursive: true });
    const count = folder.startsWith("train") ? 1000 : 5;
    for (let i = 0; i < count; i++) writeFileSync(join(list, folder, `${i}.jpg`), "");
    utimesSync(join(list, folder), 1e9, 1e9);
  }
  return list;
}
let list: string | undefined;

const good = ["state-dict", "checkpoint", "many", "parameters", "protocol-4", "protocol-5"].map((name) =>
  fixture(`interop/fixtures/good/${name}.pt`),
);
const cifarLayout = {
  parts: [{ name: "data_batch_1.bin", bytes: 2 * 3074, md5: "" }],
  ...{ texts: ["names.txt"], folder: "cifar", archive: "cifar.tar.gz", remedy },
};

const grid = {
  ...{ arms: undefined, reference: undefined },
  grid: { "patriarch.k": [2, 3], "patriarch.primaryScore": [0.7, 0.8] },
};
const calibrated = {
  ...{
    arms: { strict: { patriarch: "strict" }, soft: { patriarch: "label-smoothing" } },
    claim: { arm: "soft" },
  },
  calibrate: { like: "strict", arms: { soft: { key: "patriarch.epsilon", range: [0.01, 0.9] } } },
};

/** The files of a folder of the package, each as the one file that a reader reads. */
const packaged = (folder: string) =>
  readdirSync(join(root, folder)).map((name) => ({ "mine.yaml": readFileSync(join(root, folder, name)) }));
const lined = "PATH(:\\d+)?: |and \\d+ more$";

const text: readonly Reader[] = [
  {
    name: "recipe",
    seeds: () => packaged("recipes"),
    line: lined,
    read: (folder) => loadRecipe(join(folder, "mine.yaml")),
  },
  {
    name: "study",
    slow: true,
    seeds: () => [
      // Those of the package name recipes beside them, which are not there.
      ...packaged("studies").filter((file) => !/^base: \S*[/.]/m.test(String(file["mine.yaml"]))),
      ...[tinyStudy, { ...tinyStudy, ...grid }, { ...tinyStudy, ...calibrated }].map((study) => ({
        "mine.yaml": toYaml(study),
      })),
    ],
    line: lined,
    read: (folder) => loadStudy(join(folder, "mine.yaml")),
  },
  {
    name: "--set",
    seeds: () =>
      [
        "student.hardWeight=0.5",
        "patriarch={k: 5, primaryScore: 0.7}",
        "schedule.milestones=[0.5, 0.75]",
      ].map((set) => ({ "mine.yaml": set })),
    line: "--set |and \\d+ more$",
    read: async (folder) => {
      const set = readFileSync(join(folder, "mine.yaml"), "utf8");
      try {
        return await loadRecipe("cifar100-resnet20", { set: [set] });
      } catch (error) {
        // The rule that the file is named is for files.
        if (error instanceof RecipeError) error.message = error.message.replaceAll(/$/gm, " mine.yaml");
        throw error;
      }
    },
  },
  {
    name: "Hugging Face config",
    seeds: () => [
      {
        "config.json":
          '{"architecture":"resnet18","num_classes":2,"label_names":["cat","dog"],"pretrained_cfg":{"input_size":[3,64,64],' +
          '"crop_pct":0.875,"crop_mode":"center","mean":[0.5,0.5,0.5],"std":[0.2,0.2,0.2]}}\n',
      },
    ],
    read: (folder) => readHuggingFaceConfig(join(folder, "config.json")),
  },
  {
    name: "class list",
    seeds: () => [{ "classes.txt": "cat\ndog\nünïcödé\n" }],
    read: (folder) => readClassList(join(folder, "classes.txt")),
  },
];

const sets: readonly Reader[] = [
  {
    name: "IDX",
    seeds: () => [
      { "images-idx3-ubyte": seeds.idxImages },
      { "images-idx3-ubyte.gz": seeds.gzipped(seeds.idxImages) },
    ],
    read: async (folder) => readIdx(source(onlyFile(folder)), [4, 3, 3], new Uint8Array(36)),
  },
  {
    name: "IDX labels",
    seeds: () => [
      { "labels-idx1-ubyte": seeds.idxLabels },
      { "labels-idx1-ubyte.gz": seeds.gzipped(seeds.idxLabels) },
    ],
    read: (folder) => readIdxLabels(source(onlyFile(folder)), 4, 10),
  },
  {
    name: "CIFAR",
    seeds: () => [{ "data_batch_1.bin": seeds.cifarRecords }],
    read: (folder) => readCifarRecords(source(join(folder, "data_batch_1.bin")), [20, 100], room()),
  },
  {
    name: "CIFAR archive",
    seeds: async () => {
      const members = { "cifar/names.txt": "a\nb\n", "cifar/data_batch_1.bin": seeds.cifarRecords };
      const archive = await seeds.tar(members);
      return [{ "cifar.tar": archive }, { "cifar.tar.gz": seeds.gzipped(archive) }];
    },
    mend: (bytes, path) => (path.endsWith(".gz") ? bytes : mendTar(bytes)),
    read: async (folder) => {
      const found = await findParts(cifarLayout, onlyFile(folder));
      if (typeof found === "string") throw new Error(`${folder}: ${found}`);
      await readParts(cifarLayout, found, (_, part) => readCifarRecords(part, [20, 100], room()));
    },
  },
  {
    name: "tar",
    seeds: async () => [
      {
        "a.tar": await seeds.tar({
          "a/b.jpg": "image",
          [`${"long/".repeat(30)}c.jpg`]: "image",
          "é.cls": "3",
        }),
      },
    ],
    mend: mendTar,
    read: (folder) => {
      const path = join(folder, "a.tar");
      const file = openSync(path, "r");
      try {
        return [...tarEntries(file, path)];
      } finally {
        closeSync(file);
      }
    },
  },
  {
    name: "shards",
    slow: true,
    seeds: async () => [await shardSeeds()],
    mend: mendTar,
    read: (folder) =>
      loadDataset({ name: "shards", root: folder, train: "train.tar", test: "test.tar", size: 8 }),
  },
  {
    name: "shards on a web server",
    slow: true,
    addressSpace: 60_000_000,
    seeds: async () => {
      const shards = await shardSeeds();
      const honest = ["honest", "no length", "elsewhere", "in small pieces"] as const;
      return honest.map((way) => ({
        [liesFile]: Buffer.alloc(40, Buffer.of(lies.indexOf(way), 0)),
        ...shards,
      }));
    },
    mend: (bytes, path) => (path === liesFile ? bytes : mendTar(bytes)),
    read: async (folder) => {
      server ??= await startLyingServer();
      server.serve(folder);
      const spec = { name: "shards", root: server.home, train: "train.tar", test: "test.tar", size: 8 };
      const { places } = (await loadDataset(spec)).train as StoredImages;
      const url = textAt(places.files, 0);
      const { offsets, lengths } = places;
      for (const [i, offset] of offsets!.slice(0, 4).entries()) {
        await readRemote({ url, offset, length: lengths![i]! }, { timeout: 5000, pause: 1 }).catch(
          (cause: Error) => {
            throw new Error(`${url}: ${cause.message}`, { cause });
          },
        );
      }
    },
    close: () => {
      server?.close();
      server = undefined;
    },
  },
  {
    name: "meta.mat",
    seeds: () =>
      ["meta.mat", "meta-plain.mat"].map((name) => ({
        "meta.mat": fixture(`data/stored/fixtures/${name}`),
      })),
    read: (folder) => naming(join(folder, "meta.mat"), readMatlabStructures),
  },
  {
    name: "list of images",
    seeds: async (folder) => [
      await seeds.written((made) => {
        torch.scope(() =>
          torch.saveSafetensors(
            join(made, "index.safetensors"),
            {
              names: torch.tensor(Uint8Array.of(97, 98, 99)),
              "names.starts": torch.tensor(Float64Array.of(0, 1, 3)),
            },
            { root: folder },
          ),
        );
      }),
    ],
    mend: withoutDigestIfAny,
    read: (folder) => {
      const kept = loadIndex(join(folder, "index.safetensors"));
      try {
        return kept && textsOf(kept.columns, "names");
      } catch (error) {
        // Where the two columns do not fit, whoever asks makes the list anew.
        if (!(error instanceof TypeError && error.message.startsWith("the texts of"))) throw error;
        return undefined;
      }
    },
    forgiving: true,
  },
  {
    name: "long list of images",
    slow: true,
    seeds: async (folder) => {
      list ??= longList();
      const made = { ...{ name: "folder", root: list }, size: 8 };
      plant(folder, {});
      await loadDataset(made);
      return [seeds.filesIn(folder)];
    },
    mend: withoutDigestIfAny,
    read: async () => {
      const { train, test } = await loadDataset({ name: "folder", root: list!, size: 8 });
      if (train.count !== 2000 || test.count !== 10)
        throw new Error(`${list}: ${train.count} and ${test.count}`);
    },
    forgiving: true,
    close: () => {
      if (list) rmSync(list, { recursive: true });
      list = undefined;
    },
  },
  {
    name: "decoded images",
    slow: true,
    seeds: async (folder) => {
      const photos = await seeds.written((made) => writePhotos(join(made, "photos"), { train: 2, test: 1 }));
      await plant(folder, photos);
      await cached(folder);
      return [seeds.filesIn(folder)];
    },
    only: /^cache\//,
    mend: withoutDigestIfAny,
    read: async (folder) => {
      const { train } = await cached(folder);
      const { files, offsets, lengths } = train.places;
      const path = Buffer.from(files.bytes.subarray(files.starts[0]!, files.starts[1]!)).toString();
      const images = Array.from(offsets!, (offset, i) => ({ path, offset, length: lengths![i]! }));
      const { pixels } = await decodeBatch(placesOf(images), {
        kind: "central",
        resize: 9,
        height: 8,
        width: 8,
      });
      pixels.dispose();
    },
  },
];

const pictures: readonly Reader[] = [
  {
    name: "images",
    seeds: async () => Object.entries(await seeds.images()).map(([name, bytes]) => ({ [name]: bytes })),
    mend: (bytes, path) => (path.endsWith(".png") ? mendPng(bytes) : bytes),
    read: async (folder) => {
      const path = onlyFile(folder);
      const bytes = readFileSync(path);
      for (const images of [placesOf([{ path }]), placesInMemory([bytes])]) {
        const view = { kind: "central", resize: 10, height: 9, width: 8 } as const;
        const { pixels, outcomes } = await decodeBatch(images, view, { maxPixels: 1 << 20 });
        pixels.dispose();
        const [{ status, problem }] = outcomes as [(typeof outcomes)[0]];
        if (status !== "ok") throw new Error(`${path}: ${problem}`);
      }
    },
  },
  {
    name: "images to predict",
    seeds: async () => Object.entries(await seeds.images()).map(([name, bytes]) => ({ [name]: bytes })),
    mend: (bytes, path) => (path.endsWith(".png") ? mendPng(bytes) : bytes),
    read: (folder) => decodeImage(onlyFile(folder), { channels: 3, height: 8, width: 8 }),
  },
];

const weights: readonly Reader[] = [
  {
    name: "safetensors",
    seeds: async () => {
      const own = await seeds.weightsFile();
      return [own, mapped(own, withoutDigest)];
    },
    read: (folder) => freed(torch.loadSafetensors(join(folder, "weights.safetensors")).tensors),
  },
  {
    name: "weights",
    seeds: async () => [mapped(await seeds.weightsFile(), withoutDigest)],
    read: (folder) => freed(readWeights(join(folder, "weights.safetensors")).tensors),
  },
  {
    name: "checkpoint",
    seeds: async () => {
      const made = await seeds.written((folder) =>
        saveCheckpoint(join(folder, "latest.safetensors"), learner(), beginning),
      );
      return [made, mapped(made, withoutDigest)];
    },
    mend: withoutDigestIfAny,
    read: (folder) => torch.scope(() => loadCheckpoint(join(folder, "latest.safetensors"), learner())),
  },
  {
    name: ".pt",
    seeds: () => good.map((bytes) => ({ "weights.pt": bytes })),
    mend: mendZip,
    read: async (folder) => {
      using file = await readWeightsFile(join(folder, "weights.pt"));
      nameAsTorchvision(file);
    },
  },
  {
    name: "pickle",
    seeds: async (folder) => {
      const pickles = [];
      for (const bytes of good) {
        await plant(folder, { "weights.pt": bytes });
        await using archive = await Archive.open(join(folder, "weights.pt"));
        pickles.push({
          "data.pkl": await archive.read(archive.names.find((name) => name.endsWith("data.pkl"))!),
        });
      }
      return pickles;
    },
    read: (folder) => naming(join(folder, "data.pkl"), (bytes) => unpickle(bytes, stateDictMeaning)),
  },
];

const folders: readonly Reader[] = [
  {
    name: "run",
    slow: true,
    seeds: async () => [await seeds.run()],
    mend: mendRun,
    read: async (folder) => {
      const [listed] = await listRuns(folder);
      const opened = await RunFolder.open(folder);
      const read = [
        await opened.status(),
        await opened.readSummary(),
        await opened.readEnvironment(),
        await opened.readMetrics(),
      ];
      for (const name of await transferNames(folder)) read.push((await readTransfer(folder, name)) as never);
      if (listed?.state === "damaged") throw new Error(`${folder}: ${listed.problem}`);
      return read;
    },
  },
  {
    name: "report of a run",
    long: true,
    seeds: async () => {
      // The images are not looked for: a set of drawn ones would be drawn for each input.
      const run = await seeds.run();
      const recipe = Buffer.from(run["recipe.yaml"]!).toString().replace("name: synthetic", "name: cifar10");
      return [{ ...run, "recipe.yaml": recipe }];
    },
    only: /json/,
    mend: mendRun,
    // Charts take long to load, and few tests need them.
    read: async (folder) => (await import("../report/index.js")).writeReport(folder),
  },
  {
    name: "watched run",
    slow: true,
    forgiving: true,
    seeds: async () => [{ ...(await seeds.run()), "progress.json": seeds.progress }],
    mend: mendRun,
    read: async (folder) => {
      const { WatchedRun } = await import("../live/watched-run.js");
      const { runView } = await import("../live/views/run.js");
      const { stepChart } = await import("../live/charts.js");
      const run = new WatchedRun({ kind: "run", name: "mine", directory: folder });
      await run.refresh({ again: true });
      await runView(run, []);
      // A run that nobody trains shows nothing of it, so that it is drawn here.
      const progress = await readProgress(join(folder, "progress.json"));
      if (progress)
        stepChart(progress.curve, { steps: progress.stepsPerEpoch, generation: progress.generation });
    },
  },
  {
    name: "results of a study",
    slow: true,
    seeds: async () => [await seeds.study()],
    mend: (bytes, path) => (path.endsWith(".json") ? mendNetwork(bytes, sha256Of) : bytes),
    read: (folder) => openStudy(folder),
  },
];

/** All readers. */
export const readers: readonly Reader[] = [...text, ...sets, ...pictures, ...weights, ...folders];
