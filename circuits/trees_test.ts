import assert from "node:assert/strict";
import fc from "fast-check";
import { isSottoError } from "../errors.ts";
import { evaluate, reach } from "../models/evaluate.ts";
import { castRow } from "../models/rows.ts";
import type { ForestModel, Row } from "../models/types.ts";
import { CURRENT } from "../params/mod.ts";
import type { Backend } from "./backend.ts";
import { compileForest } from "./compile_forest.ts";
import { treesDescriptionSchema } from "./description.ts";
import { labelCodes, labelDigits } from "./leaf_labels.ts";
import { plainBackend } from "./plain.ts";
import { leafCost } from "./plain_outputs.ts";
import { selfCheck } from "./self_check.ts";
import { forestShapes, output, randomForest, randomGridRows, source } from "./test_models.ts";
import { planTrees, type TreesPlan } from "./trees.ts";
import { decodeTreesAnswers, encodeTreesRows, treesAnswerLayout, treesScale } from "./trees_rows.ts";

const COSTS = { ntt_ns: 2500, packed_product_ns: 30_000, product_ns: 10_000, expand_ns: 20_000 };
const code = (expected: string) => (error: unknown) => isSottoError(error) && error.code === expected;

/** Summed scores by way of every step a client and a server take. */
async function answer(backend: Backend, { description, spec }: TreesPlan, rows: readonly Row[]): Promise<Float64Array> {
  using key = backend.generateSecretKey();
  using keys = await backend.loadEvaluationKeys(await backend.generateEvaluationKeys(key));
  using matrix = backend.createLeafMatrix(spec);
  const scale = treesScale(description);
  const upload = await backend.encrypt(key, encodeTreesRows(description, rows), {
    ciphertextCount: rows.length * description.ciphertexts_per_row,
    stride: CURRENT.ringDegree,
    scale,
    bits: description.input_bits,
  });
  assert.equal(upload.length, rows.length * description.plan.upload_bytes_per_row);
  const shape = { rowCount: rows.length, inputBits: description.input_bits, answerBits: description.answer_bits };
  const answers = await backend.evaluateLeaves(matrix, keys, upload, shape);
  assert.equal(answers.length, rows.length * description.plan.answer_bytes_per_row);
  const values = await backend.decrypt(key, answers, {
    ...treesAnswerLayout(description),
    recordCount: rows.length,
    scale,
  });
  return decodeTreesAnswers(description, values, rows.length);
}

Deno.test("the cost of a leaf is 0 exactly where the row arrives, for any tree, threshold and missing value", () => {
  let missing = 0, dropped = 0;
  fc.assert(
    fc.property(forestShapes, fc.nat(), (shape, seed) => {
      const model = randomForest(shape);
      const numbered = numberLeaves(model);
      const { spec, layout } = compileForest(numbered);
      const description = { ...layout, ciphertexts_per_row: Math.max(1, Math.ceil(spec.columnCount / 2048)) };
      dropped += model.trees.flatMap((tree) => tree.nodes).filter((node) => node.kind === "leaf").length -
        spec.constants.length;
      for (const row of randomGridRows(model, 10, seed)) {
        const cells = castRow(model.features, row);
        missing += cells.filter((cell) => cell.missing).length;
        const bits = encodeTreesRows(description as TreesPlan["description"], [row]);
        model.trees.forEach((tree, t) => {
          const costs: number[] = [];
          for (let l = spec.treeOffsets[t]; l < spec.treeOffsets[t + 1]; l++) costs.push(leafCost(spec, l, bits));
          assert.ok(costs.every((cost) => cost >= 0 && cost <= 3 * model.features.length));
          assert.equal(costs.filter((cost) => cost === 0).length, 1);
          const reached = numbered.trees[t].nodes[reach(tree, cells)];
          const label = spec.labels[(spec.treeOffsets[t] + costs.indexOf(0)) * spec.labelCount];
          assert.ok(reached.kind === "leaf" && label === labelDigits(labelCodes(numbered)[t], reached.values[0])[0]);
        });
      }
    }),
    { numRuns: 1500 },
  );
  assert.ok(missing > 1000 && dropped > 100, `${missing} missing cells, ${dropped} dropped leaves`);
});

/** The same trees with values by which leaves can be told apart. */
function numberLeaves(model: ForestModel): ForestModel {
  let next = 0;
  const trees = model.trees.map((tree) => ({
    ...tree,
    nodes: tree.nodes.map((node) => node.kind === "leaf" ? { ...node, values: node.values.map(() => next++) } : node),
  }));
  return { ...model, trees };
}

Deno.test("missing values take a bit of their own only where splits at one threshold disagree about them", () => {
  const forest = (missing: ("left" | "right")[]) => {
    const model = wideForest(4);
    const trees = model.trees.map((tree, t) => ({
      ...tree,
      nodes: tree.nodes.map((node) => node.kind === "split" ? { ...node, threshold: 1, missing: missing[t] } : node),
    }));
    return compileForest({ ...model, trees }).layout.features[1];
  };
  const { thresholds, missing_ones, missing_bit } = forest(["left", "right", "left", "right"]);
  assert.deepEqual({ thresholds, missing_ones, missing_bit }, {
    thresholds: [1],
    missing_ones: [0],
    missing_bit: false,
  });
  assert.deepEqual(forest(["left", "left", "right", "left"]).missing_ones, []);
  assert.equal(forest(["left", "left", "right", "left"]).missing_bit, false);
  assert.equal(forest(["left", "left", "right", "right"]).missing_bit, true);
  assert.deepEqual(forest(["left", "left", "right", "right"]).missing_ones, []);
});

Deno.test("planned forests give the scores of direct evaluation through the plain back end", async () => {
  const backend = plainBackend();
  await fc.assert(
    fc.asyncProperty(forestShapes, fc.nat(), async (shape, seed) => {
      const model = randomForest(shape);
      const plan = planTrees(model, COSTS, { parameterSet: backend.parameterSet });
      treesDescriptionSchema.parse(JSON.parse(JSON.stringify(plan.description)));
      const rows = randomGridRows(model, 3, seed);
      const scores = await answer(backend, plan, rows);
      const tolerance = plan.description.trees.reduce((sum, tree) => sum + tree.label_step / 2, 1e-9);
      rows.forEach((row, r) =>
        evaluate(model, row).margins.forEach((margin, i) => {
          assert.ok(Math.abs(scores[r * shape.scores + i] - margin) <= tolerance);
        })
      );
    }),
    { numRuns: 60 },
  );
});

Deno.test("a row of more columns than coefficients takes several ciphertexts", async () => {
  const backend = plainBackend();
  const model = wideForest(2600);
  const plan = planTrees(model, COSTS, { parameterSet: backend.parameterSet });
  assert.equal(plan.description.ciphertexts_per_row, 2);
  assert.ok(plan.description.plan.products_per_row > 2 * plan.spec.constants.length);
  const rows = [[-1, -1], [700.5, 1], [1e9, NaN], [1299, 2e9]];
  const scores = await answer(backend, plan, rows);
  rows.forEach((row, r) => assert.ok(Math.abs(scores[r] - evaluate(model, row).margins[0]) < 1e-3));
});

/** Stumps, one threshold each, on two features. */
function wideForest(count: number): ForestModel {
  const leaf = (value: number) => ({ kind: "leaf", values: [value] }) as const;
  return {
    kind: "forest",
    source,
    features: [{ name: "a", cast: "float64", missing: "refused" }, { name: "b", cast: "float32", missing: "nan" }],
    trees: Array.from({ length: count }, (_, t) => ({
      outputs: [0],
      nodes: [
        { kind: "split", feature: t % 2, threshold: Math.floor(t / 2), left: 1, right: 2, missing: "left" },
        leaf(t % 5),
        leaf(-t % 3),
      ],
    })),
    output: output(1, "logistic"),
  };
}

Deno.test("one tree of a single leaf answers its value", async () => {
  const backend = plainBackend();
  const model = {
    ...wideForest(1),
    trees: [{ outputs: [0], nodes: [{ kind: "leaf", values: [0.25] }] }],
  } as ForestModel;
  const plan = planTrees(model, COSTS);
  assert.deepEqual([...plan.spec.rowOffsets], [0, 0]);
  assert.equal(plan.description.trees[0].label_step, 0);
  assert.deepEqual([...await answer(backend, plan, [[1, NaN], [2, 3]])], [0.25, 0.25]);
});

Deno.test("a chain of twenty thousand splits compiles without deep recursion", () => {
  const depth = 20_000;
  const nodes: ForestModel["trees"][0]["nodes"] = Array.from({ length: depth }, (_, i) => [
    { kind: "split" as const, feature: 0, threshold: i, left: 2 * i + 1, right: 2 * i + 2, missing: "left" as const },
    { kind: "leaf" as const, values: [i] },
  ]).flat();
  const chain = {
    ...wideForest(1),
    trees: [{ outputs: [0], nodes: [...nodes, { kind: "leaf" as const, values: [depth] }] }],
  };
  const { spec } = compileForest(chain);
  assert.equal(spec.constants.length, depth + 1);
  assert.ok(spec.rowOffsets[depth + 1] <= 2 * (depth + 1));
});

Deno.test("leaf values take two digits only where one would show in the prediction", () => {
  const model = wideForest(4);
  const scaled = (size: number, transform: "logistic" | "identity") => ({
    ...model,
    trees: model.trees.map((tree) => ({
      ...tree,
      nodes: tree.nodes.map((node) => node.kind === "leaf" ? { ...node, values: [node.values[0] * size] } : node),
    })),
    output: output(1, transform),
  });
  assert.equal(labelCodes(scaled(0.1, "logistic"))[0].limbs, 1);
  assert.equal(labelCodes(scaled(0.01, "identity"))[0].limbs, 1);
  const exponential = (base: number) =>
    labelCodes({ ...scaled(0.01, "identity"), output: { ...output(1, "exp"), base: [base] } });
  assert.equal(exponential(0)[0].limbs, 1);
  assert.equal(exponential(8)[0].limbs, 2);
  const wide = labelCodes(scaled(1000, "identity"))[2];
  assert.equal(wide.limbs, 2);
  const [low, high] = labelDigits(wide, 1834.5);
  assert.ok(Math.abs(wide.offset + wide.step * (low + 65536 * high) - 1834.5) <= wide.step);
});

Deno.test("answers of another key or model are told from right ones", () => {
  const { description } = planTrees(wideForest(3), COSTS);
  const values = Float64Array.from({ length: 12 }, (_, i) => 17 * i + 5);
  assert.throws(() => decodeTreesAnswers(description, values, 1), code("wrong_key"));
  assert.throws(() => decodeTreesAnswers(description, values.fill(0), 1), code("wrong_key"));
});

Deno.test("rows of another width, and empty cells of features that refuse them, are refused", () => {
  const { description } = planTrees(wideForest(3), COSTS);
  assert.throws(() => encodeTreesRows(description, [[1]]), code("rows_refused"));
  assert.throws(() => encodeTreesRows(description, [[NaN, 1]]), code("rows_refused"));
});

Deno.test("a model without trees, with unlike trees or with too much noise is refused", () => {
  const model = wideForest(3);
  assert.throws(() => planTrees({ ...model, trees: [] }, COSTS), code("model_refused"));
  const unlike = [...model.trees, { outputs: [0, 0], nodes: [{ kind: "leaf" as const, values: [1, 2] }] }];
  assert.throws(() => planTrees({ ...model, trees: unlike }, COSTS), code("model_refused"));
  assert.throws(() => planTrees(model, COSTS, { inputBits: 16 }), code("model_refused"));
  assert.throws(() => planTrees(model, COSTS, { answerBits: 18 }), code("model_refused"));
});

Deno.test("plans of every shape stay far below the failure limit at the default widths", () => {
  const { plan } = planTrees(wideForest(2600), COSTS).description;
  assert.ok(plan.failure_log2 < -64 && plan.noise_log2 < 30, JSON.stringify(plan));
});

Deno.test("the self-check passes a right circuit and refuses a wrong one", () => {
  const model = randomForest({ seed: 3, features: 3, trees: 4, depth: 4, scores: 2, vectorLeaves: true, agree: true });
  const { description, spec } = planTrees(model, COSTS);
  selfCheck(model, description, spec);
  assert.throws(
    () =>
      selfCheck(
        model,
        { ...description, trees: description.trees.map((tree) => ({ ...tree, label_offset: 1 })) },
        spec,
      ),
    code("model_refused"),
  );
  const wrong = { ...spec, constants: spec.constants.map((constant) => constant + 1) };
  assert.throws(() => selfCheck(model, description, wrong), isSottoError);
});
