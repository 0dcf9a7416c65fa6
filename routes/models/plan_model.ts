import type { LeafMatrixSpec, UnitCosts, WeightMatrixSpec } from "../../circuits/backend.ts";
import type { LinearDescription, TreesDescription } from "../../circuits/description.ts";
import { planLinear } from "../../circuits/linear.ts";
import { planTrees } from "../../circuits/trees.ts";
import type { Model } from "../../models/types.ts";

/** What a client may know of a model, and the clear matrix that never leaves the server. */
export type PlannedModel =
  | { readonly mode: "leaves"; readonly description: TreesDescription; readonly spec: LeafMatrixSpec }
  | { readonly mode: "linear"; readonly description: LinearDescription; readonly spec: WeightMatrixSpec };

/** Plans the model's circuit; `parameterSet` is the back end's. Throws `model_refused`. */
export function planModel(model: Model, costs: UnitCosts, parameterSet: string): PlannedModel {
  return model.kind === "forest"
    ? { mode: "leaves", ...planTrees(model, costs, { parameterSet }) }
    : { mode: "linear", ...planLinear(model, costs, { parameterSet }) };
}
