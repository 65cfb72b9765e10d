/** Makes logits whose softmax is the given scores, a row for each image. */
export function ofScores(...rows: readonly (readonly number[])[]) {
  return { values: Float64Array.from(rows.flat(), Math.log), classes: rows[0]!.length };
}
