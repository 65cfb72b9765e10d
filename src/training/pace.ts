import { between, type Meter, type MeterState, type Reading } from "./meter.js";

/** Seconds over which the pace is averaged, so that a single slow step hardly shows. */
const window = 5;

/** Measures the means over the images since the last report, and the pace of the last few seconds. */
export class Pace {
  private since = performance.now();
  private last: MeterState | undefined;
  private images = 0;
  private seconds = 0;

  /** Tells whether the last report is at least so many seconds ago. */
  isDue(seconds: number): boolean {
    return performance.now() - this.since >= seconds * 1000;
  }

  /** Reads the meter, which waits for the device. */
  measure(meter: Meter): Reading & { imagesPerSecond: number } {
    const state = meter.state();
    const means = between(this.last, state);
    const passed = (performance.now() - this.since) / 1000;
    const kept = Math.exp(-passed / window);
    this.images = this.images * kept + means.images;
    this.seconds = this.seconds * kept + passed;
    this.restart(state);
    return { ...means, imagesPerSecond: this.images / this.seconds };
  }

  /** Begins anew at a state of the meter, such as that of a new epoch. */
  restart(state: MeterState): void {
    this.since = performance.now();
    this.last = state;
  }
}
