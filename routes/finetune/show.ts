import type { z } from "@hono/zod-openapi";
import { groupPlanSchema, stepTraffic } from "../../circuits/finetune/mod.ts";
import type { BaseModelRow } from "../../db/mod.ts";
import type { OpenSession } from "./find_session.ts";
import type { baseModelSchema, baseSummarySchema, sessionSchema } from "./schemas.ts";

/** Bytes a weight that a server keeps in a direction: one a limb. */
const BYTES_A_WEIGHT = { int8: 1, int10: 2 };

const plansOf = ({ groups }: BaseModelRow) => groupPlanSchema.array().parse(groups);

export function shownBaseSummary(row: BaseModelRow): z.infer<typeof baseSummarySchema> {
  return {
    id: row.id,
    name: row.name,
    weights: row.weights,
    weight_bytes: plansOf(row).reduce((sum, { rows, columns }) => sum + rows * columns, 0) *
      BYTES_A_WEIGHT[row.weights],
    public_bytes: row.publicBytes,
    public_digest: row.publicObject,
    created_at: row.createdAt.toISOString(),
  };
}

export function shownBaseModel(row: BaseModelRow): z.infer<typeof baseModelSchema> {
  return { ...shownBaseSummary(row), config: row.config, groups: plansOf(row) };
}

export function shownSession({ session, model, set }: OpenSession): z.infer<typeof sessionSchema> {
  const { masks: mode, tokensMax: tokens } = session;
  const traffic = stepTraffic(plansOf(model), { set, mode, tokens });
  return {
    id: session.id,
    base_model: session.baseModelId,
    parameter_set: session.parameterSet,
    masks: mode,
    mask_seed: session.maskSeed,
    tokens_max: tokens,
    bytes_per_token: (traffic.upload + traffic.answers) / tokens,
    mask_bytes: traffic.masks,
    requests: session.requests,
    bytes_used: session.bytesUsed,
    bytes_max: session.bytesMax,
    placement: session.placement.map(({ url, layers, output }) => ({
      url,
      ...(layers ? { layers: [...layers] } : {}),
      ...(output ? { output } : {}),
    })),
    created_at: session.createdAt.toISOString(),
  };
}
