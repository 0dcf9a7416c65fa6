/** A tiny random Llama for tests, in the precision of the kernels it is given. */
import type { FloatKernels, Floats } from "../../circuits/finetune/float_kernels.ts";
import type { LlamaConfig } from "../../models/language/mod.ts";
import { moduleGroups, moduleList } from "../../models/language/module_list.ts";
import { type AdapterOptions, Adapters } from "./adapters.ts";
import { ClearProducts } from "./clear_products.ts";
import { Llama, type LlamaParts } from "./llama.ts";
import type { LocalWeights } from "./local_weights.ts";
import { SeededSource } from "./seeded.ts";

export const TINY: LlamaConfig = {
  hidden: 12,
  intermediate: 20,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headSize: 4,
  vocabulary: 23,
  positions: 64,
  rmsEpsilon: 1e-5,
  rope: { theta: 100, scaling: { kind: "none" } },
  tiedEmbeddings: false,
};

/** Normal values of a deviation, plus an offset. */
export function randomFloats(
  kernels: FloatKernels,
  count: number,
  seed: number,
  deviation = 1,
  offset = 0,
): Floats {
  const [source, values] = [new SeededSource(seed), kernels.zeros(count)];
  for (let i = 0; i < count; i++) values[i] = offset + deviation * source.normal();
  return values;
}

export function tinyLocal(kernels: FloatKernels, config = TINY): LocalWeights {
  const norm = (seed: number) => randomFloats(kernels, config.hidden, seed, 0.2, 1);
  return {
    embedding: randomFloats(kernels, config.vocabulary * config.hidden, 1),
    norms: {
      layers: Array.from({ length: config.layers }, (_, i) => ({ attention: norm(10 + i), mlp: norm(20 + i) })),
      final: norm(30),
    },
  };
}

export function tinyProducts(kernels: FloatKernels, config = TINY): ClearProducts {
  const groups = [...moduleGroups(moduleList(config))].map(([group, modules]) =>
    [
      group,
      modules.map(({ name, rows, columns }) => {
        const seed = [...name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) | 0;
        return { name, rows, columns, weight: randomFloats(kernels, rows * columns, seed, 1 / Math.sqrt(columns)) };
      }),
    ] as const
  );
  return new ClearProducts(kernels, new Map(groups));
}

/** Adapters that do something: B is random too. */
export function tinyAdapters(kernels: FloatKernels, options: Partial<AdapterOptions> = {}, config = TINY): Adapters {
  const adapters = Adapters.create(kernels, config, { rank: 3, alpha: 6, ...options }, 5);
  [...adapters.modules.values()].forEach(({ b }, i) => b.set(randomFloats(kernels, b.length, 100 + i, 0.2)));
  return adapters;
}

export function tinyModel(kernels: FloatKernels, parts: Partial<LlamaParts> = {}): Llama {
  return new Llama({
    kernels,
    config: TINY,
    local: tinyLocal(kernels),
    products: tinyProducts(kernels),
    ...parts,
  });
}
