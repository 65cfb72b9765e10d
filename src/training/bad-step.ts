/** The error of a step whose loss or gradients are not finite; it is thrown before any weight is changed. */
export class BadStep extends Error {
  override name = "BadStep";

  /**
   * @param what what is not finite
   * @param values the loss, and its terms by name; of gradients their norm
   * @param elsewhere the rank of the process whose loss it is, where that is another one
   */
  constructor(
    readonly what: "loss" | "gradients",
    readonly values: Readonly<Record<string, number>>,
    readonly elsewhere?: number,
  ) {
    super(`a step's ${what} became ${Object.values(values)[0]}`);
  }
}
