import { createHash } from "node:crypto";
import { moduleScales, planGroups, publicParts } from "../../circuits/finetune/mod.ts";
import { type BaseModelRow, insertBaseModel } from "../../db/mod.ts";
import type { LanguageModel, WeightKind } from "../../models/language/mod.ts";
import { keepObject } from "../../store/mod.ts";
import type { Services } from "../services.ts";
import { modelFiles, withBaseModel } from "./base_files.ts";

/**
 * Reads a model, cuts its groups, keeps what clients need of it, and adds the row.
 * Throws `file_unreadable`, `malformed_file` or `model_refused`. Memory: one group of weights as bytes, and one of its modules.
 */
export async function registerBaseModel(
  services: Services,
  tenantId: string,
  { name, path, weights }: { name: string; path: string; weights: WeightKind },
): Promise<{ row: BaseModelRow; created: boolean }> {
  return await withBaseModel(services.config, path, async (model, file) => {
    return await addBaseModel(services, { tenantId, name, path, weights, files: await modelFiles(file) }, model);
  });
}

async function addBaseModel(
  services: Services,
  described: Pick<BaseModelRow, "tenantId" | "name" | "path" | "weights" | "files">,
  model: LanguageModel,
): Promise<{ row: BaseModelRow; created: boolean }> {
  const { groups, scales, digest } = await planModel(model, described.weights);
  const staged = await services.store.stage(ReadableStream.from(publicParts(model, scales)), {
    maxBytes: Number.MAX_SAFE_INTEGER,
  });
  try {
    const id = digest.update(staged.digest).update(JSON.stringify({ config: model.config, groups })).digest("hex");
    return await keepObject(services, described, staged, () =>
      insertBaseModel(services.database, {
        ...{ ...described, id, config: { ...model.config }, groups },
        ...{ publicObject: staged.digest, publicBytes: staged.bytes, createdAt: new Date() },
      }));
  } finally {
    await staged.discard();
  }
}

async function planModel(model: LanguageModel, kind: WeightKind) {
  const scales = new Map<string, Float32Array>();
  const digest = createHash("sha256");
  const groups = await planGroups(model, kind, ({ modules, weights, scales: stacked }) => {
    digest.update(new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength));
    for (const [name, values] of moduleScales(modules, stacked)) scales.set(name, values);
  });
  return { groups, scales, digest };
}
