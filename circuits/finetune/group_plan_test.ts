import assert from "node:assert/strict";
import fc from "fast-check";
import { COARSEST_SET, ERROR_SHARE_MAX, GroupPlanner, type GroupShape, matrixNorms, sidesOf } from "./group_plan.ts";
import { tokenErrorExpected } from "./token_error.ts";

/** A group whose bytes all have the same root mean square. */
function shape(name: string, rows: number[], columns: number, rms = 40): GroupShape {
  const norms: GroupShape["columnPartNorms"] = (parts) => parts.map(({ count }) => rms * Math.sqrt(count));
  const modules = rows.map((count, i) => ({ name: `${name}.${i}`, rows: count }));
  return { name, modules, columns, columnPartNorms: norms, rowPartNorms: norms };
}

Deno.test("parts cover the inputs once, in order, and each is accurate enough", () => {
  const size = fc.integer({ min: 1, max: 200_000 });
  const kind = fc.constantFrom("int8" as const, "int10" as const);
  fc.assert(fc.property(size, size, fc.integer({ min: 1, max: 127 }), kind, (rows, columns, rms, kind) => {
    const plan = new GroupPlanner(kind).plan(shape("g", [rows], columns, rms));
    for (const [parts, inputs] of [[plan.column_parts, columns], [plan.row_parts, rows]] as const) {
      let next = 0;
      for (const { first, count, norm } of parts) {
        assert.equal(first, next);
        next += count;
        const error = tokenErrorExpected({ set: COARSEST_SET[kind], features: count, rowNorm: norm });
        assert.ok(error <= ERROR_SHARE_MAX[kind]);
      }
      assert.equal(next, inputs);
    }
  }));
});

Deno.test("no part is made that accuracy does not need", () => {
  const plan = new GroupPlanner("int8").plan(shape("layers.0.qkv", [576, 192, 192], 576));
  assert.deepEqual([plan.rows, plan.column_parts.length, plan.row_parts.length], [960, 1, 1]);
  assert.ok(new GroupPlanner("int8").plan(shape("output", [128_256], 2048)).row_parts.length <= 16);
});

Deno.test("cached masks of groups and directions do not overlap", () => {
  const planner = new GroupPlanner("int8");
  const plans = [planner.plan(shape("a", [5, 6], 7)), planner.plan(shape("b", [3], 4))];
  assert.deepEqual(plans.map(({ mask_first }) => mask_first), [{ forward: 0, backward: 7 }, {
    forward: 18,
    backward: 22,
  }]);
});

Deno.test("norms of parts are the largest of a row or a column inside the part", () => {
  const weights = Int8Array.of(3, 4, 0, 1, 0, -2);
  const { columnPartNorms, rowPartNorms } = matrixNorms(weights, 2, 3);
  assert.deepEqual(columnPartNorms([{ first: 0, count: 2 }, { first: 2, count: 1 }]), [5, 2]);
  assert.deepEqual(rowPartNorms([{ first: 0, count: 2 }]), [Math.sqrt(16)]);
  assert.deepEqual(rowPartNorms([{ first: 1, count: 1 }]), [2]);
});

Deno.test("the directions of a grid are each other's transposes", () => {
  const plan = new GroupPlanner("int8").plan(shape("g", [100_000], 64));
  const [forward, backward] = [sidesOf(plan, "forward"), sidesOf(plan, "backward")];
  assert.equal(forward.inputs, backward.outputs);
  assert.equal(forward.outputs, backward.inputs);
});
