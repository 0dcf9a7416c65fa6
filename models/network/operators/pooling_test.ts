import { assertRefused } from "../../../tests/fixtures/assert_refused.ts";
import { assertClose } from "../assert_close.ts";
import { answerOf, chainOf, integers, networkOf } from "../made_graph.ts";

const SQUARE = Array.from({ length: 9 }, (_, i) => i + 1);
type Attributes = Record<string, number | number[] | string>;

function pooled(op: string, attributes: Attributes): readonly number[] {
  return answerOf(chainOf([0, 1, 3, 3], [[op, [], attributes], ["Flatten"]]), SQUARE);
}

Deno.test("average pools count padding only when they say so", () => {
  const attributes = { kernel_shape: [2, 2], strides: [2, 2], pads: [1, 1, 0, 0] };
  assertClose(pooled("AveragePool", { kernel_shape: [2, 2] }), [3, 4, 6, 7]);
  assertClose(pooled("AveragePool", attributes), [1, 2.5, 5.5, 7]);
  assertClose(pooled("AveragePool", { ...attributes, count_include_pad: 1 }), [0.25, 1.25, 2.75, 7]);
});

Deno.test("max pools ignore padding, also of negative inputs", () => {
  assertClose(pooled("MaxPool", { kernel_shape: [2, 2], strides: [2, 2], pads: [1, 1, 0, 0] }), [1, 3, 7, 9]);
  assertClose(pooled("MaxPool", { kernel_shape: [2, 2], dilations: [2, 2] }), [9]);
  const negative = chainOf([0, 1, 1, 2], [["MaxPool", [], {
    kernel_shape: [1, 2],
    pads: [0, 1, 0, 1],
    strides: [1, 2],
  }], ["Flatten"]]);
  assertClose(answerOf(negative, [-3, -5]), [-3, -5]);
});

Deno.test("output sizes that are rounded up take in a last, smaller window", () => {
  assertClose(pooled("MaxPool", { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }), [5, 6, 8, 9]);
  assertClose(pooled("AveragePool", { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }), [3, 4.5, 7.5, 9]);
});

Deno.test("a Pad before an average pool counts as zeros", () => {
  const graph = chainOf([0, 1, 3, 3], [
    ["Pad", [integers(0, 0, 1, 1, 0, 0, 0, 0)]],
    ["AveragePool", [], { kernel_shape: [2, 2], strides: [2, 2] }],
    ["Flatten"],
  ]);
  assertClose(answerOf(graph, SQUARE), [0.25, 1.25, 2.75, 7]);
});

Deno.test("global pools and reductions over height and width are one window", () => {
  const input = [1, 2, 3, 6, -1, -2, -3, -6];
  const reduced = (op: string, attributes: Attributes = {}, shape = [0, 2, 2, 2]) =>
    answerOf(chainOf(shape, [[op, [], attributes], ["Flatten"]], 12), input);
  assertClose(reduced("GlobalAveragePool"), [3, -3]);
  assertClose(reduced("GlobalMaxPool"), [6, -1]);
  assertClose(reduced("ReduceMean", { axes: [2, 3] }), [3, -3]);
  assertClose(reduced("ReduceMean", { axes: [-1, -2], keepdims: 0 }), [3, -3]);
  assertClose(reduced("ReduceSum", { axes: [2, 3] }), [12, -12]);
  assertClose(reduced("ReduceMax", { axes: [2, 3] }), [6, -1]);
  assertClose(reduced("ReduceMean", { axes: [1, 2] }), [0, 0]);
  assertClose(reduced("ReduceMean", { axes: [1] }, [0, 4, 2]), [0, 0]);
  assertClose(reduced("ReduceMean", { axes: [1, 2, 3] }), [0]);
});

Deno.test("pools of one dimension run along the last axis", () => {
  const graph = chainOf([0, 2, 4], [["MaxPool", [], { kernel_shape: [2], strides: [2] }], ["Flatten"]]);
  assertClose(answerOf(graph, [1, 2, 3, 4, 8, 7, 6, 5]), [2, 4, 8, 6]);
});

Deno.test("windows that see only padding, and padding that cannot be counted, are refused", () => {
  const refuses = (message: string, op: string, attributes: Attributes) =>
    assertRefused(
      "model_refused",
      message,
      () => networkOf(chainOf([0, 1, 3, 3], [[op, [], attributes], ["Flatten"]])),
    );
  refuses("nothing but padding", "MaxPool", { kernel_shape: [2, 2], pads: [2, 2, 0, 0] });
  refuses("ceil_mode off", "AveragePool", {
    kernel_shape: [2, 2],
    strides: [2, 2],
    ceil_mode: 1,
    count_include_pad: 1,
  });
  refuses("kernel of 0 axes", "MaxPool", {});
});
