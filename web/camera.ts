/** The camera's picture, while it runs. */
export class Camera {
  readonly #video: HTMLVideoElement;
  #stream: MediaStream | undefined;

  constructor(video: HTMLVideoElement) {
    this.#video = video;
  }

  /** Whether the browser offers one here: only on pages that are local or come over https. */
  static get isOffered(): boolean {
    return navigator.mediaDevices?.getUserMedia !== undefined;
  }

  get isOn(): boolean {
    return this.#stream !== undefined;
  }

  /** @throws DOMException when there is none, or it may not be used */
  async start(): Promise<void> {
    this.#stream = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: "environment", width: { ideal: 640 } },
    });
    this.#video.srcObject = this.#stream;
    await this.#video.play();
  }

  stop(): void {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = undefined;
    this.#video.srcObject = null;
  }

  get video(): HTMLVideoElement {
    return this.#video;
  }
}
