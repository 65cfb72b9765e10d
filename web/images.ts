import type { Pixels } from "./resample.js";

/** Larger images are made smaller by the browser first: a phone's memory holds some of them, not many. */
const LONGEST_SIDE = 4096;

/**
 * Reads an image file as Lyceum does: turned as its EXIF data say, on black, colours as they are stored.
 *
 * @throws DOMException when it is no image that the browser knows
 */
export async function pixelsOfFile(file: Blob): Promise<Pixels> {
  const bitmap = await createImageBitmap(file, {
    colorSpaceConversion: "none",
    imageOrientation: "from-image",
    premultiplyAlpha: "default",
  });
  try {
    return pixelsOf(bitmap, bitmap.width, bitmap.height);
  } finally {
    bitmap.close();
  }
}

/** The pixels of whatever a canvas can draw. */
export function pixelsOf(source: CanvasImageSource, width: number, height: number): Pixels {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.fillStyle = "#000";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return { width: canvas.width, height: canvas.height, data };
}
