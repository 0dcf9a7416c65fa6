import { isDeepStrictEqual } from "node:util";
import type { Description } from "../../circuits/description.ts";
import type { ModelRow, StoredDescription } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import type { Lease } from "./handle_cache.ts";
import { type CompiledModel, compileModel } from "./compiled_model.ts";
import type { Computing } from "./computing.ts";
import { calibrationOf } from "./calibration.ts";
import { planModel } from "./plan_model.ts";
import { readModel } from "./read_model.ts";

/** The name of a model among the compiled ones. */
export function compiledId(row: { tenantId: string; id: string }): string {
  return `${row.tenantId}/${row.id}`;
}

/**
 * The compiled model, from memory or made again from its file.
 * Throws `conflict` when this version of the server would describe it differently from what its clients were told.
 */
export function leaseModel(services: Computing, row: ModelRow): Promise<Lease<CompiledModel>> {
  return services.compiledModels.lease(compiledId(row), async () => {
    const file = await services.store.get(row.objectDigest);
    const read = readModel(file, row.options, await calibrationOf(services, row));
    const { mode } = row.options;
    const options = { maxMemoryBytes: services.config.runMemoryBytes, ...(mode ? { mode } : {}) };
    const planned = await planModel(read, services.backend, options);
    if (!sameLayout(planned.description, row.description)) throw changed();
    return compileModel(planned, services.backend);
  });
}

/** Equal in everything that clients encrypt and decrypt by; the plan holds measured times, a report looks at more or fewer rows. */
function sameLayout(made: Description, stored: StoredDescription): boolean {
  const layout = (description: Description | StoredDescription) => {
    const { plan: _plan, report: _report, ...rest }: Record<string, unknown> = { ...description };
    return JSON.parse(JSON.stringify(rest));
  };
  return isDeepStrictEqual(layout(made), layout(stored));
}

function changed(): SottoError {
  const why = "the model was imported by another version or for another parameter set";
  return new SottoError("conflict", `${why}: delete it and import it again`);
}
