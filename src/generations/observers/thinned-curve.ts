/**
 * A curve of bounded length, of values that come one after another: each point is the mean of as many values as any other, and
 * that number doubles whenever the curve is full.
 */
export class ThinnedCurve {
  readonly #most: number;
  #points: [at: number, mean: number][] = [];
  #stride = 1;
  #sum = 0;
  #count = 0;
  #at = 0;

  /** @param most the most points, an even number */
  constructor(most: number) {
    this.#most = most;
  }

  /** @param at the value's place on the axis, which only grows */
  add(at: number, value: number): void {
    this.#at = at;
    this.#sum += value;
    if (++this.#count < this.#stride) return;
    this.#points.push([at, this.#sum / this.#count]);
    this.#sum = 0;
    this.#count = 0;
    if (this.#points.length < this.#most) return;
    this.#points = this.#points.flatMap(([at, mean], i): [number, number][] =>
      i % 2 === 1 ? [[at, (this.#points[i - 1]![1] + mean) / 2]] : [],
    );
    this.#stride *= 2;
  }

  /** The points in order; the last one may be the mean of fewer values. */
  get points(): [at: number, mean: number][] {
    if (this.#count === 0) return [...this.#points];
    return [...this.#points, [this.#at, this.#sum / this.#count]];
  }
}
