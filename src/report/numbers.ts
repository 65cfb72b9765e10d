/** Numbers and names as people read them. */
import type { Metric } from "../analysis/index.js";

/** A fraction as a percentage: 0.9012 → "90.12 %". */
export function percent(fraction: number, digits = 2): string {
  return Number.isFinite(fraction) ? `${(fraction * 100).toFixed(digits)} %` : "–";
}

/** A metric's value by its unit and digits: fractions in percent, all others as they are. */
export function metricText({ unit, digits }: Pick<Metric, "unit" | "digits">, value: number): string {
  return unit === "fraction" ? percent(value, digits) : fixed(value, digits);
}

/** A number with so many digits behind the point. */
export function fixed(value: number, digits = 3): string {
  return Number.isFinite(value) ? value.toFixed(digits) : "–";
}

/** A whole number with its thousands apart: 1234.5 → "1,235". */
export function count(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString("en-US") : "–";
}

/** A duration in seconds, in the units that a person would use: "0.8 s", "42 s", "2 min 05 s", "3 h 20 min". */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "–";
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const pad = (n: number) => String(n).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** A generation's name: "patriarch", "student 1", … */
export function nameOf(generation: number, role: "patriarch" | "student"): string {
  return role === "patriarch" ? "patriarch" : `student ${generation}`;
}

/** A number of things: "1 epoch", "1,200 epochs". */
export function plural(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}
