/** NumPy's format for one array: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, version 1.0. */

/** What NumPy calls the dtypes that are written. */
const descriptions = { float32: "<f4", int32: "<i4" } as const;

/** The bytes that stand before an array's values, which follow row by row. */
export function npyHeader(dtype: keyof typeof descriptions, shape: readonly number[]): Buffer {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${descriptions[dtype]}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // Values begin on a multiple of 64 bytes; a line feed ends the padding.
  const padding = 63 - ((10 + text.length) % 64);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(text.length + padding + 1);
  return Buffer.concat([
    Buffer.from([0x93]),
    Buffer.from("NUMPY"),
    Buffer.from([1, 0]),
    length,
    Buffer.from(`${text}${" ".repeat(padding)}\n`),
  ]);
}
