/** Fine-tuning: products of frozen matrices with encrypted tokens. */
export type * from "./backend.ts";
export { tokenErrorExpected } from "./token_error.ts";
export * from "./token_layout.ts";
export { tokenRadius, tokenScales, type TokenScaling } from "./token_scales.ts";
export {
  COARSEST_SET,
  type GroupPlan,
  GroupPlanner,
  groupPlanSchema,
  type GroupShape,
  type InputPart,
  matrixNorms,
  sidesOf,
} from "./group_plan.ts";
export {
  decodeServerTime,
  encodeServerTime,
  partMasks,
  productAnswerBytes,
  productMasksBytes,
  productRequestBytes,
  type ProductShape,
  splitRequest,
  type Tile,
  tilesOf,
} from "./product_layout.ts";
export { moduleScales, publicParts, rowScalesName } from "./public_parts.ts";
export { groupsOf, planGroups, type StackedGroup, stackGroup, tileWeights } from "./stacked_group.ts";
export { stepTraffic, type Traffic } from "./traffic.ts";
