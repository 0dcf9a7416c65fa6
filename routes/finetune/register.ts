import { createHash } from "node:crypto";
import { moduleScales, planGroups, publicParts } from "../../circuits/finetune/mod.ts";
import { type BaseModelRow, insertBaseModel } from "../../db/mod.ts";
import type { LanguageModel } from "../../models/language/mod.ts";
import type { Services } from "../services.ts";
import { releaseObject } from "../training/objects.ts";
import { modelFiles, withBaseModel } from "./base_files.ts";

/**
 * Reads a model, cuts its groups, keeps what clients need of it, and adds the row.
 * Throws `file_unreadable`, `malformed_file` or `model_refused`. Memory: one group of weights as bytes, and one of its modules.
 */
export async function registerBaseModel(
  services: Services,
  tenantId: string,
  { name, path }: { name: string; path: string },
): Promise<{ row: BaseModelRow; created: boolean }> {
  return await withBaseModel(services.config, path, async (model, file) => {
    return await addBaseModel(services, { tenantId, name, path, files: await modelFiles(file) }, model);
  });
}

async function addBaseModel(
  services: Services,
  described: Pick<BaseModelRow, "tenantId" | "name" | "path" | "files">,
  model: LanguageModel,
): Promise<{ row: BaseModelRow; created: boolean }> {
  const { groups, scales, digest } = await planModel(model);
  const staged = await services.store.stage(ReadableStream.from(publicParts(model, scales)), {
    maxBytes: Number.MAX_SAFE_INTEGER,
  });
  try {
    const id = digest.update(staged.digest).update(JSON.stringify({ config: model.config, groups })).digest("hex");
    const inserted = await services.store.exclusive(staged.digest, async () => {
      await staged.commit();
      return await insertBaseModel(services.database, {
        ...{ ...described, id, config: { ...model.config }, groups },
        ...{ publicObject: staged.digest, publicBytes: staged.bytes, createdAt: new Date() },
      });
    });
    if (!inserted.created) await releaseObject(services, staged.digest);
    return inserted;
  } finally {
    await staged.discard();
  }
}

async function planModel(model: LanguageModel) {
  const scales = new Map<string, Float32Array>();
  const digest = createHash("sha256");
  const groups = await planGroups(model, ({ modules, weights, scales: stacked }) => {
    digest.update(weights);
    for (const [name, values] of moduleScales(modules, stacked)) scales.set(name, values);
  });
  return { groups, scales, digest };
}
