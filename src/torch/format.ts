/** Prints tensors as PyTorch does, in aligned columns, with long dimensions cut to their ends. */
import type { Tensor } from "./tensor.js";

const threshold = 1000;
const edge = 3;
const precision = 4;

/** Makes a function that writes each of the numbers alike: as integers, with a point, or with an exponent. */
function writer(values: number[], floating: boolean): (value: number) => string {
  const finite = values.filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs);
  const special = (value: number) => (Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf");
  const largest = Math.max(0, ...finite);
  const smallest = Math.min(Number.POSITIVE_INFINITY, ...finite);
  const integral = finite.every(Number.isInteger);
  const exponent =
    floating &&
    (largest / smallest > 1000 || largest > 1e8 || smallest < 1e-4) &&
    (!integral || largest > 1e8);
  const write = (value: number) => {
    if (!Number.isFinite(value)) return special(value);
    if (!floating) return String(value);
    if (exponent) return value.toExponential(precision).replace(/e([+-])(\d)$/, "e$10$2");
    return integral ? `${value}.` : value.toFixed(precision);
  };
  // In PyTorch too, infinities and NaNs do not widen the columns.
  const width = Math.max(0, ...values.filter(Number.isFinite).map((value) => write(value).length));
  return (value) => write(value).padStart(width);
}

/** The indices that are shown of each dimension, with undefined where some are left out. */
function shown(shape: readonly number[], summarise: boolean): (number | undefined)[][] {
  return shape.map((size) => {
    const all = Array.from({ length: Math.min(size, summarise ? 2 * edge + 1 : size) }, (_, i) => i);
    if (!summarise || size <= 2 * edge) return all;
    return [...all.slice(0, edge), undefined, ...all.slice(0, edge).map((i) => size - edge + i)];
  });
}

export function format(tensor: Tensor): string {
  const { shape, dtype } = tensor;
  const floating = dtype.includes("float");
  // No dimension of an empty tensor is shown, however long.
  const picks = tensor.numel > 0 ? shown(shape, tensor.numel > threshold) : shape.map(() => []);
  const flat = tensor.toTypedArray() as ArrayLike<number | bigint>;
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const visible: number[] = [];
  const visit = (dimension: number, offset: number, leaf: (offset: number) => void) => {
    if (dimension === shape.length) leaf(offset);
    else
      for (const i of picks[dimension]!)
        if (i !== undefined) visit(dimension + 1, offset + i * strides[dimension]!, leaf);
  };
  visit(0, 0, (offset) => visible.push(Number(flat[offset])));
  const write = dtype === "bool" ? (value: number) => (value ? " true" : "false") : writer(visible, floating);
  const render = (dimension: number, offset: number, indent: string): string => {
    if (dimension === shape.length) return write(Number(flat[offset]));
    const last = dimension === shape.length - 1;
    const parts = picks[dimension]!.map((i) =>
      i === undefined ? "..." : render(dimension + 1, offset + i * strides[dimension]!, `${indent} `),
    );
    const gap = last ? ", " : `,${"\n".repeat(shape.length - 1 - dimension)}${indent} `;
    return `[${parts.join(gap)}]`;
  };
  const notes = [
    ...(shape.includes(0) && shape.length > 1 ? [`size=[${shape.join(", ")}]`] : []),
    ...(["float32", "int64", "bool"].includes(dtype) ? [] : [`dtype=${dtype}`]),
    ...(tensor.device === "cpu" ? [] : [`device=${tensor.device}`]),
    ...(tensor.requiresGrad ? ["requiresGrad=true"] : []),
  ];
  const body = shape.includes(0) ? "[]" : render(0, 0, "       ");
  return `tensor(${[body, ...notes].join(", ")})`;
}
