/**
 * Sums of sums of sums leave little room between noise and range: every sum divides the scale of what it reads. Looking one up unchanged
 * gives it a full scale again.
 */
import { PADDING, type Program } from "./program.ts";

/** The program with an identity table on every sum that reads a sum and is read by another; the same program if there is none. */
export function refreshed(program: Program): Program {
  const owner = new Uint32Array(program.elementCount);
  program.steps.forEach((step, i) => owner.fill(i + 1, step.first, program.steps[i + 1]?.first));
  const plain = (source: number) => source > 0 && program.steps[source - 1].activation === undefined;
  const sources = program.steps.map(({ sum }) =>
    new Set(sum.indices.filter((i) => i !== PADDING).map((i) => owner[i]))
  );
  const read = new Set(sources.flatMap((set) => [...set]));
  let changed = false;
  const steps = program.steps.map((step, i) => {
    const deep = [...sources[i]].some(plain);
    if (step.activation !== undefined || step.tied.length > 0 || !deep || !read.has(i + 1)) return step;
    changed = true;
    return { ...step, activation: { name: "identity" } as const };
  });
  return changed ? { ...program, steps } : program;
}
