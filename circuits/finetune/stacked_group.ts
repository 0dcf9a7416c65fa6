/** The modules of a group as one matrix of integers, and its tiles. */
import {
  type IntegerMatrix,
  integersOf,
  type LanguageModel,
  type LoadableModule,
  moduleGroups,
  type WeightKind,
} from "../../models/language/mod.ts";
import type { TokenWeights } from "./backend.ts";
import { type GroupPlan, GroupPlanner, type GroupShape, type InputPart, matrixNorms } from "./group_plan.ts";

/** Modules stacked by rows. */
export interface StackedGroup {
  readonly name: string;
  readonly modules: readonly LoadableModule[];
  readonly rows: number;
  readonly columns: number;
  /** rows x columns. */
  readonly weights: IntegerMatrix["integers"];
  /** One a row. */
  readonly scales: Float32Array<ArrayBuffer>;
}

/** The modules of each group of a model, in the order of the forward pass. */
export function groupsOf(model: LanguageModel): ReadonlyMap<string, readonly LoadableModule[]> {
  return moduleGroups(model.modules()) as ReadonlyMap<string, readonly LoadableModule[]>;
}

/** Reads the weights of a group; memory is that of the answer and one module. */
export async function stackGroup(
  name: string,
  modules: readonly LoadableModule[],
  kind: WeightKind,
): Promise<StackedGroup> {
  const columns = modules[0].columns;
  const rows = modules.reduce((sum, module) => sum + module.rows, 0);
  const weights = integersOf(kind, rows * columns);
  const scales = new Float32Array(rows);
  let row = 0;
  for (const module of modules) {
    const matrix = await module.load(kind);
    weights.set(matrix.integers, row * columns);
    scales.set(matrix.scales, row);
    row += module.rows;
  }
  return { name, modules, rows, columns, weights, scales };
}

/** The weights of rows `rows` and columns `columns` of the grid: a copy, or all of them. */
export function tileWeights({ weights, ...group }: StackedGroup, rows: InputPart, columns: InputPart): TokenWeights {
  const from = rows.first * group.columns;
  if (columns.count === group.columns) return weights.subarray(from, from + rows.count * group.columns);
  const tile = weights.slice(0, rows.count * columns.count);
  for (let row = 0; row < rows.count; row++) {
    const at = from + row * group.columns + columns.first;
    tile.set(weights.subarray(at, at + columns.count), row * columns.count);
  }
  return tile;
}

/**
 * Plans all groups of a model. Reads all weights, one group at a time.
 * @param onGroup gets each group before it is let go
 */
export async function planGroups(
  model: LanguageModel,
  kind: WeightKind,
  onGroup: (group: StackedGroup, plan: GroupPlan) => void = () => {},
): Promise<GroupPlan[]> {
  const planner = new GroupPlanner(kind);
  const plans: GroupPlan[] = [];
  for (const [name, modules] of groupsOf(model)) {
    const group = await stackGroup(name, modules, kind);
    const plan = planner.plan(shapeOf(group));
    onGroup(group, plan);
    plans.push(plan);
  }
  return plans;
}

function shapeOf({ name, modules, rows, columns, weights }: StackedGroup): GroupShape {
  const named = modules.map((module) => ({ name: module.name, rows: module.rows }));
  return { name, modules: named, columns, ...matrixNorms(weights, rows, columns) };
}
