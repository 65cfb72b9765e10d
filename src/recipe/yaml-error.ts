/** The error of a text that is no acceptable YAML, with the line, from 1, where it is known. */
export class YamlError extends Error {
  override name = "YamlError";
  constructor(
    message: string,
    readonly line?: number,
  ) {
    super(message);
  }
}
