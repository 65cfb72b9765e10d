/** The page: an image in, from a file, the clipboard or the camera; the networks' answers side by side. */
import type { About } from "../src/predict/about.js";
import { bars, columns } from "./bars.js";
import { Camera } from "./camera.js";
import { pixelsOf, pixelsOfFile } from "./images.js";
import { Networks } from "./networks.js";
import { prepare } from "./prepare.js";
import type { Pixels } from "./resample.js";

const part = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
const [status, picture, drop] = [part("status"), part<HTMLImageElement>("picture"), part("drop")];
const [chooser, cameraButton] = [part<HTMLInputElement>("file"), part<HTMLButtonElement>("camera")];
const camera = new Camera(part<HTMLVideoElement>("video"));

/** Milliseconds from one picture of the camera to the next. */
const PAUSE = 300;

async function begin(): Promise<void> {
  const about = (await (await fetch("about.json")).json()) as About;
  document.title = about.title;
  part("title").textContent = about.title;
  const places = columns(part("answers"), about);
  status.textContent = "Loading the networks …";
  const networks = await Networks.load(about);
  status.textContent = "Ready. Drop a photo, choose or paste one, or use the camera.";

  async function answer(image: Pixels): Promise<void> {
    const { probabilities, milliseconds } = await networks.answer(prepare(image, about));
    for (const [i, place] of places.entries())
      place.replaceChildren(bars(probabilities[i]!, about.classes, i));
    status.textContent = `Answered in ${Math.round(milliseconds)} ms, on this device: the image went nowhere.`;
  }

  async function show(file: Blob): Promise<void> {
    stopCamera();
    status.textContent = "Looking …";
    try {
      const image = await pixelsOfFile(file);
      URL.revokeObjectURL(picture.src);
      picture.src = URL.createObjectURL(file);
      picture.hidden = false;
      await answer(image);
    } catch (error) {
      status.textContent =
        error instanceof DOMException
          ? "This file is no image that the browser knows: JPEG, PNG and WebP work."
          : `This did not work: ${(error as Error).message}`;
    }
  }

  function stopCamera(): void {
    if (!camera.isOn) return;
    camera.stop();
    camera.video.hidden = true;
    cameraButton.textContent = "Use the camera";
  }

  async function startCamera(): Promise<void> {
    try {
      await camera.start();
    } catch {
      status.textContent = "There is no camera here, or it may not be used.";
      return;
    }
    picture.hidden = true;
    camera.video.hidden = false;
    cameraButton.textContent = "Stop the camera";
    while (camera.isOn) {
      const { videoWidth, videoHeight } = camera.video;
      if (videoWidth > 0) await answer(pixelsOf(camera.video, videoWidth, videoHeight));
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  chooser.disabled = false;
  chooser.addEventListener("change", () => {
    const [file] = chooser.files ?? [];
    if (file) void show(file);
  });
  if (Camera.isOffered) {
    cameraButton.hidden = false;
    cameraButton.addEventListener("click", () => (camera.isOn ? stopCamera() : void startCamera()));
  }
  const imageIn = (data: DataTransfer | null) =>
    [...(data?.files ?? [])].find(({ type }) => type.startsWith("image/"));
  document.addEventListener("paste", ({ clipboardData }) => {
    const file = imageIn(clipboardData);
    if (file) void show(file);
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  for (const name of ["dragleave", "drop"])
    document.addEventListener(name, () => drop.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    const file = imageIn(event.dataTransfer);
    if (file) void show(file);
    else status.textContent = "What was dropped is no image.";
  });
}

begin().catch((error: Error) => {
  status.textContent = `The page could not be loaded (${error.message}). It needs a server: npx serve in its folder.`;
});
