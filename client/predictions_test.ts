import assert from "node:assert/strict";
import { predictionsCsv } from "./predictions.ts";

Deno.test("binary predictions are label and probability of the positive label", () => {
  const csv = predictionsCsv({ task: "binary", labels: ["ill", "well"] }, [{ label: "well", scores: [0.75] }]);
  assert.equal(csv, "label,probability_1\nwell,0.75\n");
});

Deno.test("multi-class predictions have one column a label", () => {
  const csv = predictionsCsv({ task: "multiclass", labels: [0, 1, 2] }, [{ label: 0, scores: [0.5, 0.25, 0.25] }]);
  assert.equal(csv, "label,probability_0,probability_1,probability_2\n0,0.5,0.25,0.25\n");
});

Deno.test("regression predictions are one value", () => {
  assert.equal(
    predictionsCsv({ task: "regression", labels: [] }, [{ label: null, scores: [-1e-7] }]),
    "value\n-1e-7\n",
  );
});
