/** Summaries of repeated measurements. */

/** The middle value; the mean of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((x, y) => x - y);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** The smallest value: the run that was disturbed least. */
export function best(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), Infinity);
}
