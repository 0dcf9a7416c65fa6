import assert from "node:assert/strict";
import fc from "fast-check";
import { isSottoError } from "../errors.ts";
import { evaluate } from "../models/evaluate.ts";
import { importModel } from "../models/mod.ts";
import type { ForestModel, Node, Row } from "../models/types.ts";
import { CURRENT } from "../params/mod.ts";
import { COMMITTED, readCase, readCases, readModelBytes, readRows } from "../tests/fixtures/cases.ts";
import type { Backend, KeyRing, LookupSetting } from "./backend.ts";
import { scoreDescriptionSchema } from "./description.ts";
import { NETWORK_INPUT_SCALE, NetworkRunner, Simulation } from "./network/mod.ts";
import { plainBackend } from "./plain.ts";
import { planScore, type ScorePlan } from "./score.ts";
import { decodeScoreAnswers, encodeScoreRows, scoreAnswerLayout } from "./score_rows.ts";
import { scoreTolerances, selfCheckScore } from "./score_self_check.ts";
import { forestShapes, output, randomForest, randomGridRows, source } from "./test_models.ts";
import { encodeTreesRows } from "./trees_rows.ts";

const backend = plainBackend();
const costs = await backend.networkCosts();
const key = backend.generateSecretKey();
const code = (expected: string) => (error: unknown) => isSottoError(error) && error.code === expected;

const keys: KeyRing = {
  pack: await backend.loadEvaluationKeys(await backend.generateEvaluationKeys(key)),
  lookups: new Map(
    await Promise.all(([1, 2, 3] as LookupSetting[]).map(async (setting) => {
      return [setting, await backend.loadLookupKeys(setting, await backend.generateLookupKeys(key, setting))] as const;
    })),
  ),
};

const plan = (model: ForestModel) => planScore(model, costs, { parameterSet: backend.parameterSet });

/** Scores without base by way of every step a client and a server take. */
async function answer(
  backend: Backend,
  { description, circuit }: ScorePlan,
  rows: readonly Row[],
): Promise<Float64Array> {
  const upload = await backend.encrypt(key, encodeScoreRows(description, rows), {
    ciphertextCount: rows.length * description.ciphertexts_per_row,
    stride: CURRENT.ringDegree,
    scale: NETWORK_INPUT_SCALE,
    bits: description.input_bits,
  });
  assert.equal(upload.length, rows.length * description.plan.upload_bytes_per_row);
  using runner = new NetworkRunner(backend, circuit, description.answer_bits);
  const answers = await runner.run(upload, rows.length, keys);
  assert.equal(answers.length, rows.length * description.plan.answer_bytes_per_row);
  const shape = { ...scoreAnswerLayout(description), recordCount: rows.length, scale: 1n };
  return decodeScoreAnswers(description, await backend.decrypt(key, answers, shape));
}

/** Requires scores of direct evaluation within the tolerance and `units` answer units or, with noise, deviations. */
function requireScores(
  model: ForestModel,
  made: ScorePlan,
  rows: readonly Row[],
  scores: ArrayLike<number>,
  slack: readonly number[],
): void {
  const tolerances = scoreTolerances(model, made);
  rows.forEach((row, r) =>
    evaluate(model, row).margins.forEach((exact, score, { length }) => {
      const value = scores[r * length + score];
      assert.ok(
        Math.abs(value - exact) <= tolerances[score] + slack[score],
        `row ${r}, score ${score}: ${value}, not ${exact}`,
      );
    })
  );
}

/** One unit of a rounded answer of each score. */
const answerUnits = ({ description }: ScorePlan) => {
  return description.scales.map((scale) => 2 ** (32 - description.answer_bits) / scale);
};

const forests = readCases(COMMITTED).flatMap((entry) => {
  const model = importModel(entry.format, readModelBytes(COMMITTED, entry), { bins: { kind: "model" } });
  return model.kind === "forest" ? [{ entry, model, rows: readRows(COMMITTED, entry).slice(0, 20) }] : [];
});

Deno.test("every model of the fixtures gives its scores through the plain back end", async () => {
  for (const { entry, model, rows } of forests) {
    const made = plan(model);
    scoreDescriptionSchema.strict().parse(JSON.parse(JSON.stringify(made.description)));
    try {
      requireScores(model, made, rows, await answer(backend, made, rows), answerUnits(made));
    } catch (cause) {
      throw new Error(entry.name, { cause });
    }
  }
});

Deno.test("with the noise of encryption every model of the fixtures stays within seven planned deviations", () => {
  for (const { model, rows } of forests) {
    const made = plan(model);
    const simulation = new Simulation(made.circuit);
    const scores = rows.flatMap((row) => {
      const sums = simulation.scores(encodeTreesRows(made.description, [row]));
      return [...sums.map((sum, score) => sum + made.description.offsets[score])];
    });
    requireScores(model, made, rows, scores, made.description.deviations.map((deviation) => 7 * deviation));
  }
});

Deno.test("random forests with any missing values give the scores of direct evaluation", () => {
  let deep = 0;
  fc.assert(
    fc.property(forestShapes, fc.nat(), (shape, seed) => {
      const model = randomForest(shape);
      const made = plan(model);
      selfCheckScore(model, made, randomGridRows(model, 8, seed));
      if (made.circuit.steps.length > 2) deep++;
    }),
    { numRuns: 400 },
  );
  assert.ok(deep > 0, `${deep} forests whose lookups read lookups`);
});

Deno.test("random forests give the scores of direct evaluation through the plain back end", async () => {
  await fc.assert(
    fc.asyncProperty(forestShapes, fc.nat(), async (shape, seed) => {
      const model = randomForest(shape);
      const made = plan(model);
      const rows = randomGridRows(model, 3, seed);
      requireScores(model, made, rows, await answer(backend, made, rows), answerUnits(made));
    }),
    { numRuns: 40 },
  );
});

Deno.test("a wrong slot is read less often than once in 2^64 rows", () => {
  for (const { model } of forests) assert.ok(plan(model).description.plan.failure_log2 <= -64);
});

Deno.test("fifty trees of depth three take fewer lookups than one a tree", () => {
  const entry = readCase(COMMITTED, "wdbc_xgb50x3");
  const model = importModel(entry.format, readModelBytes(COMMITTED, entry), { bins: { kind: "model" } });
  assert.ok(model.kind === "forest");
  const { description } = plan(model);
  assert.ok(description.plan.lookups_per_row <= 42, `${description.plan.lookups_per_row} lookups`);
});

const leaf = (value: number): Node => ({ kind: "leaf", values: [value] });

/** One tree of the given nodes on numbered features. */
function oneTree(features: number, nodes: Node[]): ForestModel {
  return {
    kind: "forest",
    source,
    features: Array.from({ length: features }, (_, f) => ({ name: `f${f}`, cast: "float64", missing: "refused" })),
    trees: [{ outputs: [0], nodes }],
    output: output(1),
  };
}

/** A split of a feature of its own on each level, a leaf on the left. */
function chain(depth: number): ForestModel {
  const nodes: Node[] = [];
  for (let d = 0; d < depth; d++) {
    const at = nodes.length;
    nodes.push({ kind: "split", feature: d, threshold: 0, left: at + 1, right: at + 2, missing: "left" }, leaf(d % 7));
  }
  return oneTree(depth, [...nodes, leaf(-3)]);
}

Deno.test("paths that are longer than a table has slots pass through bits that lookups make", () => {
  const model = chain(60);
  const made = plan(model);
  assert.ok(made.circuit.steps.length > 3);
  const rows = Array.from({ length: 61 }, (_, stop) => model.features.map((_, f) => f < stop ? 1 : -1));
  selfCheckScore(model, made, rows);
});

Deno.test("the last of class probabilities, which add up to one, takes no lookups", () => {
  const split: Node = { kind: "split", feature: 0, threshold: 0, left: 1, right: 2, missing: "left" };
  const shares = (a: number[], b: number[]): ForestModel => ({
    ...oneTree(1, [split, { kind: "leaf", values: a }, { kind: "leaf", values: b }]),
    trees: [{ outputs: [0, 1, 2], nodes: [split, { kind: "leaf", values: a }, { kind: "leaf", values: b }] }],
    output: output(3),
  });
  const [probabilities, margins] = [shares([0.2, 0.3, 0.5], [0.1, 0.8, 0.1]), shares([0.2, 0.3, 0.5], [0.1, 0.8, 0.3])];
  assert.equal(plan(probabilities).description.plan.lookups_per_row, 2);
  assert.equal(plan(margins).description.plan.lookups_per_row, 3);
  selfCheckScore(probabilities, plan(probabilities));
  selfCheckScore(margins, plan(margins));
});

Deno.test("splits of one feature share a lookup by their levels", () => {
  const nodes = chain(12).trees[0].nodes.map((node) =>
    node.kind === "split" ? { ...node, feature: 0, threshold: node.feature } : node
  );
  const model = oneTree(1, nodes);
  const made = plan(model);
  assert.ok(made.description.plan.lookups_per_row <= 2, `${made.description.plan.lookups_per_row} lookups`);
  selfCheckScore(model, made);
});

Deno.test("stumps share lookups", () => {
  const stump = (feature: number): Node[] => [
    { kind: "split", feature, threshold: 0, left: 1, right: 2, missing: "left" },
    leaf(feature),
    leaf(-1),
  ];
  const model = {
    ...oneTree(8, stump(0)),
    trees: Array.from({ length: 8 }, (_, f) => ({ outputs: [0], nodes: stump(f) })),
  };
  const made = plan(model);
  assert.equal(made.description.plan.lookups_per_row, 2);
  selfCheckScore(model, made);
});

Deno.test("trees that decide by the same splits share lookups", () => {
  const [one, ...more] = [1, 2, 3, 4].map((factor) => {
    const nodes = chain(3).trees[0].nodes.map((node) =>
      node.kind === "leaf" ? { ...node, values: [node.values[0] * factor + 1] } : node
    );
    return { ...oneTree(3, nodes), trees: [{ outputs: [0], nodes }] };
  });
  const all = { ...one, trees: [one, ...more].flatMap(({ trees }) => trees) };
  assert.equal(plan(one).description.plan.lookups_per_row, 1);
  assert.equal(plan(all).description.plan.lookups_per_row, 1);
  selfCheckScore(all, plan(all));
});

Deno.test("a forest of more splits than mode score takes is refused before it is covered", () => {
  const model = chain(1001);
  const many = { ...model, trees: Array.from({ length: 100 }, () => model.trees).flat() };
  assert.throws(() => plan(many), /100100 splits, mode score takes 100000/);
});

Deno.test("a model whose trees are all one leaf needs no lookups and no lookup keys", async () => {
  const model = oneTree(2, [leaf(4.5)]);
  const made = plan(model);
  assert.deepEqual(made.description.capabilities, ["pack"]);
  assert.deepEqual([...await answer(backend, made, [[1, 2]])], [4.5]);
});

Deno.test("the description names neither trees nor leaves nor values", () => {
  const { description } = plan(forests[0].model);
  const text = JSON.stringify(description);
  assert.ok(!/tree|leaf|leaves|label_/.test(text));
});

Deno.test("a row of the wrong width is refused", () => {
  assert.throws(() => encodeScoreRows(plan(chain(3)).description, [[1, 2]]), code("rows_refused"));
});

Deno.test("a model without trees is refused", () => {
  assert.throws(() => plan({ ...chain(1), trees: [] }), code("model_refused"));
});

Deno.test("a forest of more lookups than a row may take is refused with both numbers", () => {
  const { trees, ...rest } = forests.find(({ entry }) => entry.name === "wdbc_extra")!.model;
  const many = { ...rest, trees: Array.from({ length: 150 }, () => trees).flat() };
  assert.throws(() => plan(many), /\d+ lookups a row, the limit is 16384/);
});

Deno.test("the self-check refuses a circuit of another model", () => {
  const [a, b] = [
    chain(3),
    oneTree(3, chain(3).trees[0].nodes.map((n) => n.kind === "leaf" ? leaf(9 * n.values[0] + 1) : n)),
  ];
  assert.throws(() => selfCheckScore(a, plan(b)), code("model_refused"));
});
