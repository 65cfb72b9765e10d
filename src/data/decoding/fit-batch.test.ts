import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { decodeBatch, fitBatch, placesInMemory, type View } from "./index.js";

const fixture = JSON.parse(readFileSync(new URL("./fixtures/views.json", import.meta.url), "utf8"));
const image = (name: string) => new Uint8Array(Buffer.from(fixture.images[name], "base64"));

async function seen(files: Uint8Array[], view: View) {
  const keys = view.kind === "random" ? BigInt64Array.from(files, (_, i) => BigInt(i)) : undefined;
  const { pixels, outcomes } = await decodeBatch(placesInMemory(files), view, { keys });
  const values = pixels.toTypedArray() as Uint8Array;
  pixels.dispose();
  return { values: Buffer.from(values.buffer), outcomes };
}

it("keeps images whole, with a shorter side of that many pixels at most, for views as of the image itself", async () => {
  const names = Object.keys(fixture.images).filter((name) => !/enlarged|smaller|tall|wide/.test(name));
  const { files, outcomes } = await fitBatch(placesInMemory(names.map(image)), 14);
  expect(outcomes.map(({ status }) => status)).toEqual(names.map(() => "ok"));
  const at = names.indexOf("png");
  expect(Buffer.from(files[at]!.subarray(1, 8)).toString()).toBe("LYCIM01");
  expect(files[at]!.length).toBe(24 + 3 * 14 * 18);
  // Those of a side of 14 are not resized again.
  const view = { kind: "central", resize: 14, height: 12, width: 12 } as const;
  const [ofFiles, ofImages] = [await seen(files, view), await seen(names.map(image), view)];
  expect(ofFiles.values.equals(ofImages.values)).toBe(true);
});

it("leaves small images as they are, for random views too", async () => {
  const names = ["jpeg 420", "jpeg, orientation 6", "png"];
  const { files } = await fitBatch(placesInMemory(names.map(image)), 200, { threads: 1 });
  // Boxes cover no two such views in either direction, so that no JPEG file is decoded at a fraction of its size.
  const view = { kind: "random", height: 30, width: 30 } as const;
  const [ofFiles, ofImages] = [await seen(files, view), await seen(names.map(image), view)];
  expect(ofFiles.values.equals(ofImages.values)).toBe(true);
  expect(ofFiles.outcomes.map(({ box }) => box)).toEqual(ofImages.outcomes.map(({ box }) => box));
});

it("gives no file of an image that cannot be decoded", async () => {
  const bad = [
    image("jpeg 420").subarray(0, 900),
    new Uint8Array(3),
    image("png").subarray(0, 400),
    image("png"),
  ];
  const { files, outcomes } = await fitBatch(placesInMemory(bad), 10);
  expect(files.map(({ length }) => length > 0)).toEqual([false, false, false, true]);
  expect(outcomes.map(({ status }) => status === "ok")).toEqual([false, false, false, true]);
  await expect(fitBatch(placesInMemory(bad), 0)).rejects.toThrow("shorter must be 1..16384");
});

it("refuses files of its own that are damaged anywhere, or say that they are larger than they are", async () => {
  const { files } = await fitBatch(placesInMemory([image("jpeg, grey")]), 10);
  const whole = files[0]!;
  const view = { kind: "central", resize: 4, height: 4, width: 4 } as const;
  const flipped = Array.from(whole, (byte, at) => whole.with(at, byte ^ 4));
  const { outcomes } = await seen(flipped, view);
  // A file of another beginning is none of its own.
  expect(outcomes.map(({ status }) => status)).toEqual(
    flipped.map((_, at) => (at < 8 ? "unknown-format" : "corrupt")),
  );
  const others = [
    whole.subarray(0, -1),
    new Uint8Array([...whole, 0]),
    whole.subarray(0, 8),
    whole.subarray(0, 20),
  ];
  expect((await seen(others, view)).outcomes.map(({ status }) => status)).toEqual(
    others.map(() => "corrupt"),
  );
  const limited = await decodeBatch(placesInMemory([whole]), view, { maxPixels: 20 });
  expect(limited.outcomes[0]).toMatchObject({ status: "too-large" });
});
