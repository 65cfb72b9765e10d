/** Operators that libtorch itself does not survive with bad arguments, each with the reason. */
export const refused: ReadonlyMap<string, string> = new Map([]);
