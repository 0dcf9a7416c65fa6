/** Rows that try a model where it decides: what the check after an import runs on. */
import { castTo, LARGEST, nextDown, nextUp } from "./float.ts";
import { thresholds } from "./rows.ts";
import type { Feature, Model } from "./types.ts";

/** A number in [0, 1). */
type Draw = () => number;

/**
 * Draws rows with values at the model's thresholds, just below and above them, between, beyond, and missing where the model
 * takes missing values. The same seed gives the same rows.
 */
export function randomRows(model: Model, count: number, seed: number): number[][] {
  const draw = mulberry32(seed);
  const cuts = model.kind === "forest" ? thresholds(model) : model.features.map(() => []);
  return Array.from(
    { length: count },
    () => model.features.map((feature, column) => cell(feature, cuts[column], draw)),
  );
}

function cell(feature: Feature, cuts: readonly number[], draw: Draw): number {
  if (feature.missing !== "refused" && draw() < 0.15) return NaN;
  if (draw() < 0.05) return 0;
  const value = cuts.length === 0 ? 20 * (draw() - 0.5) : nearCut(feature, cuts, draw);
  const bound = nextDown(feature.cast, LARGEST[feature.cast]);
  return Math.min(bound, Math.max(-bound, castTo(feature.cast, value)));
}

function nearCut(feature: Feature, cuts: readonly number[], draw: Draw): number {
  const cut = cuts[Math.floor(draw() * cuts.length)];
  const [low, high] = [cuts[0], cuts[cuts.length - 1]];
  switch (Math.floor(draw() * 6)) {
    case 0:
      return cut;
    case 1:
      return nextDown(feature.cast, cut);
    case 2:
      return nextUp(feature.cast, cut);
    case 3:
      return low - Math.abs(low) * draw() - draw();
    case 4:
      return high + Math.abs(high) * draw() + draw();
    default:
      return low + (high - low) * draw();
  }
}

/** Mulberry32, a 32-bit generator for tests: small, seeded, in no way secret. */
function mulberry32(seed: number): Draw {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
}
