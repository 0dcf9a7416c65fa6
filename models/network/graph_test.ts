import { assertRefused } from "../../tests/fixtures/assert_refused.ts";
import { editOnnx } from "../../tests/fixtures/onnx_edit.ts";
import { importNetwork } from "./import.ts";
import { chainOf, type MadeGraph, networkOf, node, onnxFile, tensor } from "./made_graph.ts";

const W = tensor([2, 2], [1, 2, 3, 4]);
const GRAPH = chainOf([0, 2], [["MatMul", [W]], ["Relu"]]);
const refuses = (message: string, graph: MadeGraph) => assertRefused("model_refused", message, () => networkOf(graph));

Deno.test("operators that networks do not have are refused by name, with what to do", () => {
  const through = (op: string) => chainOf([0, 2], [["MatMul", [W]], [op], ["Relu"]]);
  refuses('LSTM (node "n1") is not supported: recurrent layers', through("LSTM"));
  refuses("quantised models do not run", through("QuantizeLinear"));
  refuses("quantised models do not run", through("DequantizeLinear"));
  refuses("attention does not run", through("Attention"));
  refuses("use batch normalisation", through("LayerNormalization"));
  refuses("branch or loop", through("If"));
  refuses("export them apart", through("TreeEnsembleRegressor"));
  refuses("supported are ", through("Resize"));
});

Deno.test("batches, open sizes and inputs that are not one tensor of numbers are refused with what to do", () => {
  refuses("fixed batch of 8; export the model with a batch of one", { ...GRAPH, input: [8, 2] });
  refuses("axis 2 is", { ...GRAPH, input: [0, 2, 0] });
  refuses("batch axis before the features", { ...GRAPH, input: [2] });
  const edited = (edit: Parameters<typeof editOnnx>[1]) => () => importNetwork(editOnnx(onnxFile(GRAPH), edit));
  assertRefused(
    "model_refused",
    'has: "x", "y"',
    edited((graph) => graph.input.push({ ...graph.input[0], name: "y" })),
  );
  assertRefused("model_refused", "has: none", edited((graph) => graph.input = []));
  assertRefused(
    "model_refused",
    "not a tensor of numbers",
    edited((graph) => graph.input[0].type.tensorType.elemType = 8),
  );
  assertRefused("model_refused", "no output", edited((graph) => graph.output = []));
});

Deno.test("graphs that lack a name, make one twice or run in a circle are refused", () => {
  const base = { input: [0, 2], constants: { w: W }, outputs: ["y"] };
  refuses('Nothing in the graph makes "a"', { ...base, nodes: [node("MatMul", "a w", "y")] });
  refuses('Nothing in the graph makes "y"', { ...base, nodes: [] });
  refuses('makes "y" twice', { ...base, nodes: [node("Relu", "x", "y"), node("Tanh", "x", "y")] });
  refuses("cycle", { ...base, nodes: [node("Relu", "b", "a"), node("Relu", "a", "b"), node("Relu", "a", "y")] });
  refuses("lacks its input 1", { ...base, nodes: [node("MatMul", "x", "y")] });
  refuses("does not depend on the input", { ...base, nodes: [node("Relu", "x", "z")], outputs: ["w"] });
});

Deno.test("nodes that no output needs may be anything", () => {
  networkOf({ ...GRAPH, nodes: [...GRAPH.nodes, node("LSTM", "x", "unused")] });
});

Deno.test("tensors in other files, of other types or of wrong lengths are refused by name", () => {
  const edited = (edit: Parameters<typeof editOnnx>[1]) => () => importNetwork(editOnnx(onnxFile(GRAPH), edit));
  assertRefused(
    "model_refused",
    '"c0_0" keeps its values in another file',
    edited((g) => g.initializer[0].dataLocation = 1),
  );
  assertRefused("model_refused", "element type 21", edited((g) => g.initializer[0].dataType = 21));
  assertRefused(
    "model_refused",
    "4 elements, and its shape [2, 3] says 6",
    edited((g) => g.initializer[0].dims = [2n, 3n]),
  );
  assertRefused(
    "model_refused",
    "which is not one of a tensor",
    edited((g) => g.initializer[0].dims = [1n << 40n, 2n]),
  );
  assertRefused("malformed_file", "no graph", () => importNetwork(new Uint8Array()));
  assertRefused("malformed_file", "not an ONNX model", () => importNetwork(onnxFile(GRAPH).subarray(0, 40)));
});

Deno.test("networks larger than the limits are refused before anything of their size is made", () => {
  refuses("tensors need from 1 to", { ...GRAPH, input: [0, 1 << 24] });
  refuses("is too large", { ...GRAPH, input: [0, 1 << 20, 1 << 20] });
  refuses("more than 2000 layers", chainOf([0, 2], Array.from({ length: 2_500 }, () => ["Relu"] as const)));
  const wide = Array.from({ length: 1_000 }, () => ["Tanh"] as const);
  refuses("elements", chainOf([0, 1 << 20], wide));
});
