/** The shape of a Llama model. */
import { refuseModel } from "../refuse.ts";
import { HEADS_MAX, LAYERS_MAX, POSITIONS_MAX, VOCABULARY_MAX, WIDTH_MAX } from "./limits.ts";
import type { Rope } from "./rope.ts";

/** What the files say of a Llama model; sizes are counts of elements. */
export interface LlamaConfig {
  /** Elements of a token between layers. */
  readonly hidden: number;
  /** Elements inside the SwiGLU. */
  readonly intermediate: number;
  readonly layers: number;
  readonly heads: number;
  /** Heads of keys and values: each serves `heads / kvHeads` heads. */
  readonly kvHeads: number;
  readonly headSize: number;
  readonly vocabulary: number;
  /** Longest sequence the model was made for, in tokens. */
  readonly positions: number;
  readonly rmsEpsilon: number;
  readonly rope: Rope;
  /** True when the output layer is the embedding. */
  readonly tiedEmbeddings: boolean;
}

function checkSize(what: string, value: number, max: number): void {
  if (!(Number.isInteger(value) && value >= 1 && value <= max)) {
    refuseModel(`The model has ${value} ${what}; a whole number from 1 to ${max} is needed.`);
  }
}

function checkPositive(what: string, value: number): void {
  if (!(value > 0 && Number.isFinite(value))) refuseModel(`The model's ${what} is ${value}; it must be positive.`);
}

/** Numbers of the scaling that must be positive. */
function scalingNumbers({ rope: { scaling } }: LlamaConfig): readonly number[] {
  switch (scaling.kind) {
    case "none":
      return [];
    case "linear":
      return [scaling.factor];
    case "llama3":
      return [
        scaling.factor,
        scaling.lowFactor,
        scaling.highFactor - scaling.lowFactor,
        scaling.originalPositions,
      ];
    case "divisors":
      return scaling.divisors;
  }
}

/**
 * Holds a configuration to the limits.
 * @throws SottoError `model_refused`
 */
export function checkConfig(config: LlamaConfig): LlamaConfig {
  checkSize("elements a token", config.hidden, WIDTH_MAX);
  checkSize("intermediate elements", config.intermediate, WIDTH_MAX);
  checkSize("layers", config.layers, LAYERS_MAX);
  checkSize("heads", config.heads, HEADS_MAX);
  checkSize("key heads", config.kvHeads, HEADS_MAX);
  checkSize("elements a head", config.headSize, WIDTH_MAX);
  checkSize("elements in all heads", config.heads * config.headSize, WIDTH_MAX);
  checkSize("vocabulary entries", config.vocabulary, VOCABULARY_MAX);
  checkSize("positions", config.positions, POSITIONS_MAX);
  if (config.heads % config.kvHeads) {
    refuseModel(`${config.heads} heads do not share ${config.kvHeads} key heads evenly.`);
  }
  if (config.headSize % 2) {
    refuseModel(`A head has ${config.headSize} elements; rotary embedding needs an even number.`);
  }
  checkPositive("epsilon of norms", config.rmsEpsilon);
  checkPositive("rope theta", config.rope.theta);
  for (const value of scalingNumbers(config)) checkPositive("rope scaling", value);
  return config;
}
