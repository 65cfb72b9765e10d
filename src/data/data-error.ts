/** A data file is missing, damaged or of another kind than expected. The message says where, and what to do. */
export class DataError extends Error {
  override readonly name = "DataError";
  readonly file: string;

  /**
   * @param at.file the file, or the member of an archive
   * @param at.offset the byte in it where reading went wrong (of the unpacked content), where one is known
   * @param remedy what a person can do about it, a sentence
   */
  constructor(at: { file: string; offset?: number }, problem: string, remedy: string, cause?: unknown) {
    const where = at.offset === undefined ? at.file : `${at.file}, byte ${at.offset}`;
    super(`${where}: ${problem}. ${remedy}`, cause === undefined ? undefined : { cause });
    this.file = at.file;
  }
}
