/**
 * The products of a group together with the adapters of its modules; the adapters stay with the client, which computes their part while the server does its own.
 */
import type { FloatKernels, Floats } from "../../circuits/finetune/float_kernels.ts";
import type { LinearModule } from "../../models/language/module_list.ts";
import type { Adapters } from "./adapters.ts";
import type { DropoutMask } from "./dropout.ts";
import type { LinearProducts } from "./linear_products.ts";
import { addLora, loraGradient, loraInner } from "./lora_products.ts";
import { mixAll } from "./seeded.ts";

/** Dropout of one pass: the seed differs from step to step and block to block; each module has its own mask. */
export interface Dropout {
  readonly rate: number;
  readonly seed: number;
}

export class AdaptedProducts {
  /** `groups`: the modules of each group, by its name. */
  constructor(
    readonly kernels: FloatKernels,
    readonly products: LinearProducts,
    readonly groups: ReadonlyMap<string, readonly LinearModule[]>,
    readonly adapters?: Adapters,
  ) {}

  /** Per module of the group: W x + (alpha / r) B A dropout(x), tokens x outputs. */
  async forward(group: string, x: Floats, tokens: number, dropout?: Dropout): Promise<Floats[]> {
    const tuned = [...this.#tuned(group, dropout)];
    const [outputs, inners] = await settled(
      this.products.forward(group, x, tokens),
      Promise.all(tuned.map(({ lora, mask }) => loraInner(this.kernels, lora, x, tokens, mask))),
    );
    for (const [i, { lora, index }] of tuned.entries()) {
      await addLora(this.kernels, lora, inners[i], outputs[index], tokens);
    }
    return outputs;
  }

  /** The gradient of x; those of the adapters are added up. */
  async backward(
    group: string,
    x: Floats,
    dy: readonly Floats[],
    tokens: number,
    dropout?: Dropout,
  ): Promise<Floats> {
    const change = this.kernels.zeros(x.length);
    const [dx] = await settled(
      this.products.backward(group, dy, tokens),
      this.adapterGradients(group, x, dy, tokens, dropout, change),
    );
    for (let i = 0; i < dx.length; i++) dx[i] += change[i];
    return dx;
  }

  /** Adds up the gradients of the adapters only, and their part of that of x where it is given: nothing is asked of the server. */
  async adapterGradients(
    group: string,
    x: Floats,
    dy: readonly Floats[],
    tokens: number,
    dropout?: Dropout,
    dx?: Floats,
  ): Promise<void> {
    for (const { lora, index, mask } of this.#tuned(group, dropout)) {
      await loraGradient(this.kernels, lora, x, dy[index], tokens, mask, dx);
    }
  }

  *#tuned(group: string, dropout?: Dropout) {
    for (const [index, { name }] of (this.groups.get(group) ?? []).entries()) {
      const lora = this.adapters?.modules.get(name);
      if (lora) yield { lora, index, mask: maskOf(name, dropout) };
    }
  }
}

function maskOf(name: string, dropout?: Dropout): DropoutMask | undefined {
  return dropout && dropout.rate > 0 ? { rate: dropout.rate, seed: mixAll(dropout.seed, name) } : undefined;
}

/** Both results. When one fails the other is waited for, so that nothing is still at work when the error arrives. */
async function settled<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}
