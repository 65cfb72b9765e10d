/** Files of events, read byte by byte from the format's description, without the encoder's definitions. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { crc32c, maskedCrc32c } from "./crc32c.js";
import { EventFile } from "./event-file.js";
import { recordOf } from "./record.js";
import { type Fields, fieldsOf, recordsOf } from "./testing/read.js";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const ascii = (value: string) => new TextEncoder().encode(value);

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "lyceum-events-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

it("checks as RFC 3720 does (B.4), and masks as TensorFlow does", () => {
  expect(crc32c(ascii("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  // ((0xe3069283 >>> 15) | (0xe3069283 << 17)) + 0xa282ead8, worked by hand.
  expect(maskedCrc32c(ascii("123456789"))).toBe(
    (((0xe3069283 >>> 15) | (0xe3069283 << 17)) + 0xa282ead8) >>> 0,
  );
});

it("frames any content, so that a flipped bit is found", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), (content, at) => {
      const record = recordOf(content);
      expect(recordsOf(record)).toEqual([content]);
      const flipped = record.slice();
      flipped[at % record.length]! ^= 1 << (at % 8);
      expect(() => recordsOf(flipped)).toThrow();
    }),
    { seed: 1, numRuns: 200 },
  );
});

it("begins with the version, and holds scalars with step and time", () => {
  const file = new EventFile(folder(), new Date(1_700_000_000_500));
  file.scalars({ "loss/train": 0.5, top1: 0.25 }, 7, new Date(1_700_000_001_250));
  expect(file.path).toMatch(/events\.out\.tfevents\.1700000000\./);
  const [version, scalars] = recordsOf(readFileSync(file.path)).map(fieldsOf);
  expect(text(version![3]![0] as Uint8Array)).toBe("brain.Event:2");
  expect(version![1]).toEqual([1_700_000_000.5]);
  expect(scalars![1]).toEqual([1_700_000_001.25]);
  expect(scalars![2]).toEqual([7n]);
  const values = fieldsOf(scalars![5]![0] as Uint8Array)[1]!.map((value) => fieldsOf(value as Uint8Array));
  expect(values.map((value) => [text(value[1]![0] as Uint8Array), value[2]![0]])).toEqual([
    ["loss/train", 0.5],
    ["top1", 0.25],
  ]);
});

/** The one value of an event's summary. */
function summaryValueOf(event: Fields): Fields {
  return fieldsOf(fieldsOf(event[5]![0] as Uint8Array)[1]![0] as Uint8Array);
}

it("holds texts, pictures, histograms and hyperparameters where TensorBoard's plugins look for them", () => {
  const file = new EventFile(folder());
  file.text("recipe", "**bold**");
  file.image("images/1", { png: Uint8Array.of(1, 2), height: 3, width: 4 }, 5);
  file.histogram(
    "scores",
    { limits: [0.5, 1], counts: [3, 1], min: 0, max: 0.9, sum: 1.5, sumOfSquares: 1.25 },
    6,
  );
  file.sessionStart({ rate: 0.1, model: "resnet20", nesterov: true }, "patriarch");
  file.restart(9);
  const [, recipe, image, histogram, session, restart] = recordsOf(readFileSync(file.path)).map(fieldsOf);
  const plugin = (value: Fields) => fieldsOf(fieldsOf(value[9]![0] as Uint8Array)[1]![0] as Uint8Array);

  const tensor = fieldsOf(summaryValueOf(recipe!)[8]![0] as Uint8Array);
  expect(text(plugin(summaryValueOf(recipe!))[1]![0] as Uint8Array)).toBe("text");
  expect([tensor[1], text(tensor[8]![0] as Uint8Array)]).toEqual([[7n], "**bold**"]);

  const picture = fieldsOf(summaryValueOf(image!)[4]![0] as Uint8Array);
  expect([picture[1], picture[2], picture[3], [...(picture[4]![0] as Uint8Array)]]).toEqual([
    [3n],
    [4n],
    [3n],
    [1, 2],
  ]);

  const counts = fieldsOf(summaryValueOf(histogram!)[5]![0] as Uint8Array);
  const doubles = (bytes: Uint8Array) => [...new Float64Array(Uint8Array.from(bytes).buffer)];
  expect([1, 2, 3, 4, 5].map((id) => counts[id]?.[0] ?? 0)).toEqual([0, 0.9, 4, 1.5, 1.25]);
  expect([doubles(counts[6]![0] as Uint8Array), doubles(counts[7]![0] as Uint8Array)]).toEqual([
    [0.5, 1],
    [3, 1],
  ]);

  expect(text(summaryValueOf(session!)[1]![0] as Uint8Array)).toBe("_hparams_/session_start_info");
  const start = fieldsOf(
    fieldsOf(plugin(summaryValueOf(session!))[2]![0] as Uint8Array)[3]![0] as Uint8Array,
  );
  const given = start[1]!.map((entry) => fieldsOf(entry as Uint8Array));
  expect(given.map((entry) => text(entry[1]![0] as Uint8Array))).toEqual(["rate", "model", "nesterov"]);
  const kinds = given.map((entry) => fieldsOf(entry[2]![0] as Uint8Array));
  expect([kinds[0]![2], text(kinds[1]![3]![0] as Uint8Array), kinds[2]![4]]).toEqual([
    [0.1],
    "resnet20",
    [1n],
  ]);
  expect(text(start[4]![0] as Uint8Array)).toBe("patriarch");

  expect([restart![2], fieldsOf(restart![7]![0] as Uint8Array)[1]]).toEqual([[9n], [1n]]);
});

it("says whether a folder has files of events already", () => {
  const made = folder();
  expect([new EventFile(made).isContinued, new EventFile(made).isContinued]).toEqual([false, true]);
});
