import { getSystemErrorMap } from "node:util";
import { jpegMessage } from "../../nn/cpu/index.js";

/** What can become of an image. */
export type ImageStatus =
  | "ok"
  | "truncated"
  | "corrupt"
  | "too-large"
  | "unreadable"
  | "no-file"
  | "changed"
  | "unknown-format";

/** The native decoder's codes (`native/image/outcome.h`). "other" are images that sharp decodes. */
export const statusCodes = [
  "ok",
  "other",
  "truncated",
  "corrupt",
  "too-large",
  "unreadable",
  "no-file",
  "changed",
] as const;

/** A part of an image, in pixels. */
export interface ImageBox {
  top: number;
  left: number;
  height: number;
  width: number;
}

/** What became of an image of a batch. */
export interface ImageOutcome {
  status: ImageStatus;
  /** What is wrong, to go on after the image's name, such as "is cut short (Premature end of JPEG file)"; "" where all is well. */
  problem: string;
  /** The image's size in pixels, after it was rotated as its EXIF data say; 0 where it is not known. */
  width: number;
  height: number;
  /** The part that the view shows. */
  box: ImageBox;
  /** The JPEG file was decoded at 1 / denominator of its size. */
  denominator: number;
}

/** How many numbers the native decoder tells of an image. */
export const outcomeNumbers = 10;

/**
 * Puts the numbers of the native decoder into words.
 *
 * @returns undefined for an image that it leaves to sharp
 */
export function outcomeOf(numbers: readonly number[], maxPixels: number): ImageOutcome | undefined {
  const [code = 0, detail = 0, width = 0, height = 0, ...rest] = numbers;
  const [top = 0, left = 0, boxHeight = 0, boxWidth = 0, denominator = 1] = rest;
  const status = statusCodes[code]!;
  if (status === "other") return undefined;
  const box = { top, left, height: boxHeight, width: boxWidth };
  return {
    status,
    problem: problemOf(status, detail, width * height, maxPixels),
    width,
    height,
    box,
    denominator,
  };
}

/** The outcome of an image that has no pixels. */
export function failed(status: ImageStatus, problem: string): ImageOutcome {
  return {
    status,
    problem,
    width: 0,
    height: 0,
    box: { top: 0, left: 0, height: 0, width: 0 },
    denominator: 1,
  };
}

/** The system's words for an errno. */
function systemError(number: number): string {
  return getSystemErrorMap().get(-number)?.[1] ?? `error ${number}`;
}

function problemOf(status: ImageStatus, detail: number, pixels: number, maxPixels: number): string {
  const message = () => {
    const text = jpegMessage(detail);
    return text === "" ? "" : ` (${text})`;
  };
  switch (status) {
    case "ok":
      return "";
    case "truncated":
      return `is cut short${message()}`;
    case "corrupt":
      return `is damaged${message()}`;
    case "too-large":
      return pixels > maxPixels
        ? `has ${pixels} pixels, and more than ${maxPixels} are refused`
        : `takes more memory, bytes or scans to decode than is allowed${message()}`;
    case "unreadable":
      return `cannot be read: ${systemError(detail)}`;
    case "no-file":
      return "is no file";
    case "changed":
      return "was changed since it was listed";
    default:
      return "is no image of a known format";
  }
}
