/** What a circuit costs, before anything runs. */
import type { LookupSetting, NetworkCosts } from "../backend.ts";
import type { Circuit, CircuitStep } from "./circuit.ts";
import { outputCount } from "./program.ts";

/** Typical nanoseconds of one thread, for shares of progress: what a lookup costs in each setting, and a multiply-add of a layer. */
const TYPICAL: NetworkCosts = { lookup_ns: { 1: 5.2e6, 2: 8.8e6, 3: 13.2e6 }, multiply_add_ns: 40, answer_ns: 3e4 };

/** Lookups of one data row by setting. */
export function lookupCounts(circuit: Circuit): Record<LookupSetting, number> {
  const counts: Record<LookupSetting, number> = { 1: 0, 2: 0, 3: 0 };
  for (const { lookup, layer } of circuit.steps) if (lookup) counts[lookup.setting] += outputCount(layer);
  return counts;
}

/** Nanoseconds of one thread for one data row of a step. */
export function stepCost(
  { layer, lookup }: Pick<CircuitStep, "layer" | "lookup">,
  costs: NetworkCosts = TYPICAL,
): number {
  const { lookup_ns, multiply_add_ns } = costs;
  const lookups = lookup === undefined ? 0 : outputCount(layer) * lookup_ns[lookup.setting];
  return lookups + outputCount(layer) * layer.depth * multiply_add_ns;
}

/** Nanoseconds of one thread for one data row of a circuit. */
export function circuitCost(circuit: Circuit, costs: NetworkCosts): number {
  const steps = circuit.steps.reduce((sum, step) => sum + stepCost(step, costs), 0);
  return steps + circuit.outputElements.length * costs.answer_ns;
}
