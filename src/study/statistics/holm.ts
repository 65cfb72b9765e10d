/**
 * Adjusts the p values of tests that are made together, by Holm's step-down method (Holm 1979): with those below
 * alpha taken as found, the probability of even one false finding among all is at most alpha, however the tests
 * depend on each other.
 *
 * @param p one for each test; undefined where a test could not be made, which then does not count
 * @returns the adjusted p of each test, in the same order, at most 1
 * @throws RangeError when a p is not in [0, 1]
 */
export function holm(p: readonly (number | undefined)[]): (number | undefined)[] {
  const made = p.flatMap((value, test) => (value === undefined ? [] : [{ value, test }]));
  const wrong = made.find(({ value }) => !(value >= 0 && value <= 1));
  if (wrong) throw new RangeError(`a p must lie in [0, 1], got ${wrong.value}`);
  made.sort((one, other) => one.value - other.value);
  const adjusted: (number | undefined)[] = p.map(() => undefined);
  let largest = 0;
  made.forEach(({ value, test }, smaller) => {
    largest = Math.max(largest, Math.min(1, value * (made.length - smaller)));
    adjusted[test] = largest;
  });
  return adjusted;
}
