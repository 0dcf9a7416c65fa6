/** Products by weights that the client holds in clear: for tests, for comparison, and for running a tuned model locally. */
import type { FloatKernels, Floats } from "../../circuits/finetune/float_kernels.ts";
import { SottoError } from "../../errors.ts";
import { dequantise, type LanguageModel, type WeightKind } from "../../models/language/mod.ts";
import type { Adapters } from "./adapters.ts";
import type { LinearProducts } from "./linear_products.ts";
import { mergeLora } from "./lora.ts";

/** A frozen matrix, rows x columns, row-major: `columns` inputs, `rows` outputs. */
export interface ClearModule {
  /** "model.layers.3.self_attn.q_proj" */
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly weight: Floats;
}

export class ClearProducts implements LinearProducts {
  /** `groups`: the modules of each group, by its name. */
  constructor(readonly kernels: FloatKernels, readonly groups: ReadonlyMap<string, readonly ClearModule[]>) {}

  /** All modules of a model, as its file holds them ("float") or as a server multiplies by them. Four bytes a weight of memory. */
  static async load(
    kernels: FloatKernels,
    model: LanguageModel,
    weights: "float" | WeightKind,
  ): Promise<ClearProducts> {
    const groups = new Map<string, ClearModule[]>();
    for (const module of model.modules()) {
      const { name, group, rows, columns } = module;
      const weight = weights === "float" ? await module.loadFloats() : dequantise(await module.load(weights));
      groups.set(group, [...groups.get(group) ?? [], { name, rows, columns, weight }]);
    }
    return new ClearProducts(kernels, groups);
  }

  /** The same with the adapters made part of the weights; modules without one are shared. */
  async merged(adapters: Adapters): Promise<ClearProducts> {
    const groups = new Map<string, ClearModule[]>();
    for (const [group, modules] of this.groups) {
      groups.set(group, await Promise.all(modules.map((module) => this.#merge(module, adapters))));
    }
    return new ClearProducts(this.kernels, groups);
  }

  forward(group: string, x: Floats, tokens: number): Promise<Floats[]> {
    return Promise.all(
      this.#modules(group).map(async ({ rows, columns, weight }) => {
        const out = this.kernels.zeros(tokens * rows);
        const right = { data: weight, columns, transposed: true };
        await this.kernels.gemm({
          rows: tokens,
          columns: rows,
          depth: columns,
          left: { data: x, columns },
          right,
          out,
        });
        return out;
      }),
    );
  }

  async backward(group: string, dy: readonly Floats[], tokens: number): Promise<Floats> {
    const modules = this.#modules(group);
    const out = this.kernels.zeros(tokens * modules[0].columns);
    for (const [i, { rows, columns, weight }] of modules.entries()) {
      const left = { data: dy[i], columns: rows };
      const right = { data: weight, columns };
      await this.kernels.gemm({ rows: tokens, columns, depth: rows, left, right, out, beta: i === 0 ? 0 : 1 });
    }
    return out;
  }

  #modules(group: string): readonly ClearModule[] {
    const modules = this.groups.get(group);
    if (modules?.length) return modules;
    throw new SottoError("model_refused", `the model has no weights for the group "${group}"`);
  }

  async #merge(module: ClearModule, adapters: Adapters): Promise<ClearModule> {
    const lora = adapters.modules.get(module.name);
    return lora ? { ...module, weight: await mergeLora(this.kernels, lora, module.weight) } : module;
  }
}
