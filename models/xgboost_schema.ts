/** The parts of an XGBoost JSON model that predictions depend on. */
import { z } from "@hono/zod-openapi";

/** XGBoost writes its parameters as text. */
const count = z.union([z.string().regex(/^\d{1,9}$/).transform(Number), z.number().int().nonnegative()]);
const integers = z.array(z.number().int());
const numbers = z.array(z.number());

export const treeSchema = z.looseObject({
  left_children: integers,
  right_children: integers,
  split_indices: integers,
  split_conditions: numbers,
  default_left: z.array(z.union([z.boolean(), z.number()])),
  split_type: integers.optional(),
  categories_nodes: integers.optional(),
  tree_param: z.looseObject({ num_deleted: count.optional(), size_leaf_vector: count.optional() }),
});

const boosterSchema = z.looseObject({
  gbtree_model_param: z.looseObject({ num_parallel_tree: count.optional() }),
  iteration_indptr: integers.optional(),
  tree_info: z.array(z.number().int().nonnegative()),
  trees: z.array(treeSchema),
});

export const fileSchema = z.looseObject({
  version: z.array(z.number().int()).min(1).max(4),
  learner: z.looseObject({
    attributes: z.record(z.string(), z.unknown()).optional(),
    feature_names: z.array(z.string()).optional(),
    gradient_booster: z.looseObject({ name: z.string() }),
    learner_model_param: z.looseObject({
      base_score: z.union([z.string().max(1_000_000), z.number()]),
      num_class: count.optional(),
      num_feature: count,
      num_target: count.optional(),
    }),
    objective: z.looseObject({ name: z.string() }),
  }),
});

/** `gradient_booster` of name gbtree. */
export const gbtreeSchema = z.looseObject({ model: boosterSchema });

/** `gradient_booster` of name dart: trees and the weight of each. */
export const dartSchema = z.looseObject({ gbtree: gbtreeSchema, weight_drop: numbers });

export type XgboostFile = z.infer<typeof fileSchema>;
export type XgboostTree = z.infer<typeof treeSchema>;
export type XgboostForest = z.infer<typeof boosterSchema>;
