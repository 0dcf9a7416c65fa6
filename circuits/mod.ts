/** Circuits: plans over the port of `backend.ts`, their descriptions, and the files that carry their inputs and answers. */
export * from "./backend.ts";
export * from "./description.ts";
export * from "./finetune/mod.ts";
export { linearErrorExpected, type LinearOptions, type LinearPlan, planLinear } from "./linear.ts";
export { decodeLinearAnswers, type EncodedLinearRows, encodeLinearRows, linearLayout } from "./linear_rows.ts";
export { planScore, type ScoreOptions, type ScorePlan } from "./score.ts";
export { decodeScoreAnswers, encodeScoreRows, scoreAnswerLayout } from "./score_rows.ts";
export { selfCheckScore } from "./score_self_check.ts";
export { selfCheck } from "./self_check.ts";
export { planTrees, type TreesOptions, type TreesPlan } from "./trees.ts";
export { decodeTreesAnswers, encodeTreesRows, treesAnswerLayout, treesScale } from "./trees_rows.ts";
export * from "./training_backend.ts";
export * from "./wire.ts";
