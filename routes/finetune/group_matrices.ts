/** The matrices of a group, prepared and shared by all sessions of its base model. */
import type { TokensServer } from "../../circuits/finetune/mod.ts";
import {
  type GroupPlan,
  groupPlanSchema,
  groupsOf,
  type InputPart,
  matrixNorms,
  type StackedGroup,
  stackGroup,
  tileWeights,
  type TokenMatrix,
} from "../../circuits/finetune/mod.ts";
import type { BaseModelRow } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import type { Lease } from "../../jobs/mod.ts";
import type { Services } from "../services.ts";
import { requireUnchanged, withBaseModel } from "./base_files.ts";

/** A grid of prepared matrices: row parts by column parts. */
export class GroupMatrices implements Disposable {
  private constructor(readonly grid: readonly (readonly TokenMatrix[])[]) {}

  /** Prepares every tile in both directions. */
  static async prepare(tokens: TokensServer, group: StackedGroup, plan: GroupPlan): Promise<GroupMatrices> {
    const grid: TokenMatrix[][] = [];
    try {
      for (const rows of plan.row_parts) {
        const line: TokenMatrix[] = [];
        grid.push(line);
        for (const columns of plan.column_parts) {
          const weights = tileWeights(group, rows, columns);
          line.push(await tokens.createTokenMatrix(weights, { rows: rows.count, columns: columns.count }));
        }
      }
      return new GroupMatrices(grid);
    } catch (error) {
      new GroupMatrices(grid).close();
      throw error;
    }
  }

  /** Resident bytes. */
  get bytes(): number {
    return this.grid.flat().reduce((sum, matrix) => sum + matrix.bytes, 0);
  }

  close(): void {
    for (const matrix of this.grid.flat()) matrix.close();
  }
  [Symbol.dispose](): void {
    this.close();
  }
}

/** The plan of a group. Throws `malformed_request` when the model has none of that name. */
export function planOf({ groups }: Pick<BaseModelRow, "groups">, name: string): GroupPlan {
  const found = groups.find((group) => group.name === name);
  if (found === undefined) {
    throw new SottoError("malformed_request", `the base model has no group "${name}": see GET /v1/base-models/{id}`);
  }
  return groupPlanSchema.parse(found);
}

/**
 * Clients choose scales by the norms of the plan, so that nothing overflows. Throws `conflict` when they are not those of the weights, which
 * another version of this server may have rounded in another way.
 */
function requireNorms({ weights, rows, columns }: StackedGroup, { name, column_parts, row_parts }: GroupPlan): void {
  const norms = matrixNorms(weights, rows, columns);
  const same = (parts: readonly InputPart[], found: readonly number[]) =>
    parts.every(({ norm }, i) => norm === found[i]);
  if (same(column_parts, norms.columnPartNorms(column_parts)) && same(row_parts, norms.rowPartNorms(row_parts))) return;
  throw new SottoError(
    "conflict",
    `the weights of "${name}" are not those that were registered: forget the base model and register it again`,
  );
}

/** The matrices of a group, from memory or made again from the model's files. Throws `conflict` when these were changed. */
export function leaseGroup(services: Services, row: BaseModelRow, plan: GroupPlan): Promise<Lease<GroupMatrices>> {
  return services.baseGroups.lease(
    `${row.id}/${plan.name}`,
    () =>
      withBaseModel(services.config, row.path, async (model, file) => {
        await requireUnchanged(file, row.files);
        const modules = groupsOf(model).get(plan.name);
        if (modules === undefined) {
          throw new SottoError("conflict", `the model's files have no group "${plan.name}" any more`);
        }
        const group = await stackGroup(plan.name, modules, row.weights);
        requireNorms(group, plan);
        return await GroupMatrices.prepare(services.backend.tokens, group, plan);
      }),
  );
}
