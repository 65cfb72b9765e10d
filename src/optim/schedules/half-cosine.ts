/** The way from `from` at progress 0 to `to` at progress 1 along half a cosine; exact at both ends. */
export function halfCosine(from: number, to: number, progress: number): number {
  const share = (1 + Math.cos(Math.PI * progress)) / 2;
  return from * share + to * (1 - share);
}
