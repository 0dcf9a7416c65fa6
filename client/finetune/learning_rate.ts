/** The learning rate over the steps of a run: linear warm-up, then a decay. */
export interface LearningRateOptions {
  /** The largest rate. */
  readonly peak: number;
  /** Steps of the run. */
  readonly steps: number;
  /** Steps until the peak; default 0. */
  readonly warmUp?: number;
  /** After the warm-up: to zero along a line (default), half a cosine, or not at all. */
  readonly decay?: "linear" | "cosine" | "constant";
}

/** The rate of step 0, 1, ...; the first of a warm-up of w steps is peak / w, so that no step is wasted. */
export function learningRate({ peak, steps, warmUp = 0, decay = "linear" }: LearningRateOptions, step: number): number {
  if (step < warmUp) return peak * (step + 1) / warmUp;
  const part = Math.min(1, (step - warmUp) / Math.max(1, steps - warmUp));
  switch (decay) {
    case "linear":
      return peak * (1 - part);
    case "cosine":
      return peak * (1 + Math.cos(Math.PI * part)) / 2;
    case "constant":
      return peak;
  }
}
