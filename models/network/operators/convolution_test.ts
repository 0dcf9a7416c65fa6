import { assertRefused } from "../../../tests/fixtures/assert_refused.ts";
import { assertClose } from "../assert_close.ts";
import { answerOf, chainOf, counting, integers, networkOf, tensor } from "../made_graph.ts";

const ONES = tensor([1, 1, 2, 2], [1, 1, 1, 1]);
const SQUARE = Array.from({ length: 9 }, (_, i) => i + 1);

/** The convolution of [1, 2, 3; 4, 5, 6; 7, 8, 9], flattened. */
function convolved(
  weights: typeof ONES,
  attributes: Record<string, number | number[] | string> = {},
): readonly number[] {
  return answerOf(chainOf([0, 1, 3, 3], [["Conv", [weights], attributes], ["Flatten"]]), SQUARE);
}

Deno.test("Conv is a cross-correlation", () => {
  assertClose(convolved(tensor([1, 1, 2, 2], [1, 2, 3, 4])), [37, 47, 67, 77]);
  const biased = chainOf([0, 1, 3, 3], [["Conv", [ONES, tensor([1], [100])]], ["Flatten"]]);
  assertClose(answerOf(biased, SQUARE), [112, 116, 124, 128]);
});

Deno.test("Conv takes strides, pads and dilations", () => {
  assertClose(convolved(ONES, { pads: [1, 1, 0, 0], strides: [2, 2] }), [1, 5, 11, 28]);
  assertClose(convolved(ONES, { dilations: [2, 2] }), [20]);
  assertClose(convolved(tensor([1, 1, 1, 2], [1, 10]), { pads: [0, 1, 0, 0], strides: [2, 1] }), [
    10,
    21,
    32,
    70,
    87,
    98,
  ]);
});

Deno.test("auto_pad puts the odd cell at the end, or at the start", () => {
  assertClose(convolved(ONES, { auto_pad: "SAME_UPPER" }), [12, 16, 9, 24, 28, 15, 15, 17, 9]);
  assertClose(convolved(ONES, { auto_pad: "SAME_LOWER" }), [1, 3, 5, 5, 12, 16, 11, 24, 28]);
  assertClose(convolved(ONES, { auto_pad: "VALID" }), [12, 16, 24, 28]);
});

Deno.test("Conv in groups keeps its channels apart", () => {
  const graph = chainOf([0, 2, 1, 2], [["Conv", [tensor([2, 1, 1, 2], [1, 1, 1, -1])], { group: 2 }], ["Flatten"]]);
  assertClose(answerOf(graph, [1, 2, 10, 4]), [3, 6]);
});

Deno.test("Conv of one dimension runs along the last axis", () => {
  const graph = chainOf([0, 2, 3], [["Conv", [tensor([1, 2, 2], [1, 2, 3, 4])], { pads: [1, 0] }], ["Flatten"]]);
  assertClose(answerOf(graph, [1, 2, 3, 4, 5, 6]), [2 + 16, 5 + 32, 8 + 39]);
});

Deno.test("zeros that a Pad adds join the padding of the convolution after it", () => {
  const pads = integers(0, 0, 1, 1, 0, 0, 0, 0);
  const graph = chainOf([0, 1, 3, 3], [["Pad", [pads]], ["Conv", [ONES], { strides: [2, 2] }], ["Flatten"]]);
  assertClose(answerOf(graph, SQUARE), [1, 5, 11, 28]);
  const older = chainOf([0, 1, 3, 3], [["Pad", [], { pads: [0, 0, 1, 1, 0, 0, 0, 0] }], ["Conv", [ONES], {
    strides: [2, 2],
  }], [
    "Flatten",
  ]], 9);
  assertClose(answerOf(older, SQUARE), [1, 5, 11, 28]);
});

Deno.test("a shift before a padded convolution stays a layer, for zeros are not shifted", () => {
  const graph = chainOf([0, 1, 3, 3], [
    ["Mul", [tensor([], [2])]],
    ["Add", [tensor([], [1])]],
    ["Conv", [ONES], { pads: [1, 1, 0, 0], strides: [2, 2] }],
    ["Flatten"],
  ]);
  assertClose(answerOf(graph, SQUARE, true), [3, 12, 24, 60]);
  assertClose(answerOf(graph, SQUARE), [3, 12, 24, 60]);
});

Deno.test("convolutions that do not fit their input, and other paddings, are refused", () => {
  const refuses = (message: string, graph: Parameters<typeof networkOf>[0]) =>
    assertRefused("model_refused", message, () => networkOf(graph));
  const conv = (input: number[], weights: number[], attributes = {}) =>
    chainOf(input, [["Conv", [counting(weights)], attributes], ["Flatten"]]);
  refuses("its input has 2 channels", conv([0, 2, 3, 3], [1, 1, 2, 2]));
  refuses("larger than its padded input", conv([0, 1, 3, 3], [1, 1, 4, 4]));
  refuses("one and two axes", conv([0, 1, 2, 2, 2], [1, 1, 2, 2, 2]));
  refuses("below zero", conv([0, 1, 3, 3], [1, 1, 2, 2], { pads: [-1, 0, 0, 0] }));
  refuses("stride", conv([0, 1, 3, 3], [1, 1, 2, 2], { strides: [0, 1] }));
  const padded = (attributes: Record<string, number | number[] | string>) =>
    chainOf([0, 1, 3, 3], [["Pad", [], attributes], ["Conv", [ONES]], ["Flatten"]], 9);
  refuses('mode "reflect"', padded({ pads: [0, 0, 1, 1, 0, 0, 1, 1], mode: "reflect" }));
  refuses("only zeros around height and width", padded({ pads: [0, 1, 0, 0, 0, 0, 0, 0] }));
  refuses("follows a Pad", chainOf([0, 1, 3, 3], [["Pad", [integers(0, 0, 1, 1, 0, 0, 1, 1)]], ["Flatten"]]));
});
