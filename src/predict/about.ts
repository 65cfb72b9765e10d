/** What `about.json` beside the page says of the networks. {@link writeWebPage} writes it, and the page (`web/`) reads it. */
export interface About {
  title: string;
  classes: string[];
  channels: number;
  height: number;
  width: number;
  /** Pixels to which an image's shorter side is resized before its middle is cut out; left out, it is stretched. */
  shorterSide?: number;
  networks: { file: string; name: string; about: string }[];
}
