import assert from "node:assert/strict";
import { parseTrainingSpec } from "../circuits/training/mod.ts";
import { rowOrderDigest } from "./training_order.ts";
import { alignedTable, columnOf, featureRows, numbersOf, readTable, targetsOf } from "./training_rows.ts";

const table = (text: string) => readTable(new TextEncoder().encode(text));
const spec = parseTrainingSpec({
  kind: "logistic",
  classes: ["no", 1],
  features: [{ name: "a", min: 0, max: 1 }, { name: "b", min: 0, max: 1 }],
  batch_size: 4,
  steps: 1,
  learning_rate: { schedule: "constant", rate: 1 },
});

Deno.test("features are found by name, labels by class, and other owners' columns are left out", () => {
  const own = table("id,b,label\nx,2,no\ny,3,1\n");
  assert.deepEqual(featureRows(own, spec, ["b"]).map((row) => [...row]), [[0, 2], [0, 3]]);
  assert.deepEqual(targetsOf(own, spec, "label"), [0, 1]);
  assert.throws(() => featureRows(own, spec), { code: "rows_refused", message: /no column "a"/ });
});

Deno.test("a table is put into a published order, or refused when rows are missing or twice there", () => {
  const own = table("id,b\nx,2\ny,3\nz,4\n");
  assert.deepEqual(columnOf(alignedTable(own, "id", ["z", "x"]), "b"), ["4", "2"]);
  assert.throws(() => alignedTable(own, "id", ["q"]), { message: /1 rows of the published order .* "q"/ });
  assert.throws(() => alignedTable(table("id\nx\nx\n"), "id", ["x"]), { message: /twice/ });
});

Deno.test("a table that cannot be read says where", () => {
  assert.throws(() => table("a,b\n1\n"), { code: "rows_refused", message: /line 2: 1 values/ });
  assert.throws(() => table("a,b\n"), { code: "rows_refused" });
  assert.throws(() => numbersOf(table("a\n1\nx\n"), "a"), { message: /row 2, column "a": "x" is no number/ });
  assert.throws(() => numbersOf(table("a,b\n1,\n"), "b"), { message: /takes no gaps/ });
  assert.throws(() => targetsOf(table("l\nmaybe\n"), spec, "l"), { message: /"maybe" is none of the classes no, 1/ });
});

Deno.test("the digest of an order is that of its lines", () => {
  assert.equal(rowOrderDigest(["a", "b"]), "911169ddaaf146aff539f58c26c489af3b892dff0fe283c1c264c65ae5aa59a2");
  assert.notEqual(rowOrderDigest(["a", "b"]), rowOrderDigest(["ab", ""]));
});
