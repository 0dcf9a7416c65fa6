/** The products by the frozen base weights: the one part of the model that the server may do. Everything else in this folder is the client's own. */
import type { Floats } from "../../circuits/finetune/float_kernels.ts";

/** The modules of a layer that share an input are one group, in the order of the module list of `models/language/`. */
export type LayerGroup = "qkv" | "o" | "gate_up" | "down";

/** The group of the product by the vocabulary's rows, which belongs to no layer. */
export const OUTPUT_GROUP = "output";

/** "layers.3.qkv": how products are asked for. One request a group and direction, so four a layer. */
export function groupName(layer: number, group: LayerGroup): string {
  return `layers.${layer}.${group}`;
}

/**
 * y = W x and dx = W^T dy for the frozen matrices W (rows x columns) of a group. Rows of all arrays are tokens. What is given belongs to the call until
 * it is done; what is returned belongs to the caller, who may write over it.
 */
export interface LinearProducts {
  /** x: tokens x columns. Per module of the group: tokens x rows. */
  forward(group: string, x: Floats, tokens: number): Promise<Floats[]>;
  /** dy: per module of the group tokens x rows. Tokens x columns: the sum over the modules of W^T dy. */
  backward(group: string, dy: readonly Floats[], tokens: number): Promise<Floats>;
}
