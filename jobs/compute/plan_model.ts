import type { LeafMatrixSpec, ServerBackend, WeightMatrixSpec } from "../../circuits/backend.ts";
import type {
  LinearDescription,
  NetworkDescription,
  ScoreDescription,
  TreesDescription,
} from "../../circuits/description.ts";
import { planLinear } from "../../circuits/linear.ts";
import { type Circuit, planNetwork } from "../../circuits/network/mod.ts";
import { planScore } from "../../circuits/score.ts";
import { planTrees } from "../../circuits/trees.ts";
import { SottoError } from "../../errors.ts";
import type { ReadModel } from "./read_model.ts";

/** What a client may know of a model, and the clear matrix or circuit that never leaves the server. */
export type PlannedModel =
  | { readonly mode: "leaves"; readonly description: TreesDescription; readonly spec: LeafMatrixSpec }
  | { readonly mode: "linear"; readonly description: LinearDescription; readonly spec: WeightMatrixSpec }
  | { readonly mode: "score"; readonly description: ScoreDescription; readonly circuit: Circuit }
  | { readonly mode: "network"; readonly description: NetworkDescription; readonly circuit: Circuit };

export interface PlanOptions {
  /** Circuit of tree models; absent: `leaves`. */
  readonly mode?: "score";
  /** Bytes that one run of a network may take. */
  readonly maxMemoryBytes: number;
  /** Calibration rows that the accuracy report of a network looks at; absent: a few. */
  readonly reportRows?: number;
}

/** Plans the model's circuit for the back end. Throws `model_refused`. */
export async function planModel(
  { model, calibration }: ReadModel,
  backend: ServerBackend,
  options: PlanOptions,
): Promise<PlannedModel> {
  const { parameterSet } = backend;
  switch (model.kind) {
    case "forest":
      if (options.mode === "score") {
        return { mode: "score", ...planScore(model, await backend.networkCosts(), { parameterSet }) };
      }
      return { mode: "leaves", ...planTrees(model, await backend.unitCosts(), { parameterSet }) };
    case "linear":
      if (options.mode === "score") {
        throw new SottoError("model_refused", "mode score is for tree models: import a linear model without a mode");
      }
      return { mode: "linear", ...planLinear(model, await backend.unitCosts(), { parameterSet }) };
    case "network":
      return {
        mode: "network",
        ...planNetwork(model, calibration!, await backend.networkCosts(), { ...options, parameterSet }),
      };
  }
}
