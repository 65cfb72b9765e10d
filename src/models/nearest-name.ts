/** The name that takes the fewest letters inserted, removed or exchanged to get from `word`; case does not count, the first of equals does. */
export function nearestName<T extends string>(word: string, names: readonly T[]): T {
  const far = names.map((name) => distance(word.toLowerCase(), name.toLowerCase()));
  return names[far.indexOf(Math.min(...far))]!;
}

/** Levenshtein's, a row of the table at a time. */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const letter of a) {
    const row = [above[0]! + 1];
    for (let j = 1; j <= b.length; j++) {
      row.push(Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (letter === b[j - 1] ? 0 : 1)));
    }
    above = row;
  }
  return above[b.length]!;
}
