import assert from "node:assert/strict";
import fc from "fast-check";
import { isSottoError } from "../../errors.ts";
import { evaluateNetwork } from "./evaluate.ts";
import { editOnnx } from "../../tests/fixtures/onnx_edit.ts";
import { importNetwork } from "./import.ts";
import { OPERATORS } from "./operators/mod.ts";

const FOLDER = new URL("../../tests/fixtures/networks/", import.meta.url);
const NAMES = [
  "mlp_wdbc_pipeline",
  "mlp_iris_tanh",
  "torch_gelu_script",
  "torch_branches_script",
  "torch_strides_script",
  "torch_pools_script",
  "torch_residual_norms_script",
  "torch_sums_dynamo",
  "torch_heads_script",
  "keras_mlp",
  "keras_sequence",
];
const files = NAMES.map((name) => Deno.readFileSync(new URL(`${name}.onnx`, FOLDER)));

/** Imports; what is imported must also run. Anything but a SottoError fails the test. */
function importsOrRefuses(bytes: Uint8Array): void {
  try {
    const model = importNetwork(bytes);
    if (model.features.length < 10_000) evaluateNetwork(model, model.features.map((_, i) => i / 10));
  } catch (error) {
    assert.ok(isSottoError(error), `${error instanceof Error ? error.stack : error}`);
    assert.ok(["malformed_file", "model_refused"].includes(error.code), error.code);
  }
}

Deno.test("network files with changed, cut and repeated bytes import or are refused", () => {
  const changes = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), {
    minLength: 1,
    maxLength: 4,
  });
  const cut = fc.option(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(40)), { freq: 4 });
  fc.assert(
    fc.property(fc.constantFrom(...files), changes, cut, (bytes, edits, removal) => {
      let mutated = bytes.slice();
      for (const [at, value] of edits) mutated[Math.floor(at * (mutated.length - 1))] = value;
      if (removal) {
        const start = Math.floor(removal[0] * mutated.length);
        mutated = new Uint8Array([...mutated.subarray(0, start), ...mutated.subarray(start + removal[1])]);
      }
      importsOrRefuses(mutated);
    }),
    { numRuns: 5_000 },
  );
});

/** Integers that sizes, axes and places go wrong with. */
const wild = fc.oneof(
  fc.bigInt({ min: -3n, max: 8n }),
  fc.constantFrom(1n << 20n, 1n << 31n, (1n << 62n) + 1n, -(1n << 40n), 65_536n),
);
const place = fc.nat(10_000);

Deno.test("network files with any operator, name or size in any place import or are refused", () => {
  const edit = fc.record({ what: fc.nat(6), at: place, second: place, number: wild, real: fc.float() });
  fc.assert(
    fc.property(fc.constantFrom(...files), fc.array(edit, { minLength: 1, maxLength: 3 }), (bytes, edits) => {
      const changed = editOnnx(bytes, (graph) => {
        const pick = <T>(list: T[], index: number): T | undefined => list[index % list.length];
        for (const { what, at, second, number, real } of edits) {
          const node = pick(graph.node, at)!;
          const attribute = pick(node.attribute, second);
          const tensor = pick(graph.initializer, at);
          if (what === 0) node.opType = [...OPERATORS.keys()][second % OPERATORS.size];
          if (what === 1) node.input[second % (node.input.length + 1)] = pick(graph.node, second)!.output[0];
          if (what === 2 && attribute) Object.assign(attribute, { i: number, f: real });
          if (what === 3 && attribute) attribute.ints[second % (attribute.ints.length + 1)] = number;
          if (what === 4 && tensor) tensor.dims[second % (tensor.dims.length + 1)] = number;
          if (what === 5 && tensor) {
            Object.assign(tensor, { rawData: new Uint8Array(), int64Data: [number], dims: [1n] });
          }
          if (what === 6) {
            const dims = graph.input[0].type.tensorType.shape.dim;
            dims[second % dims.length].dimValue = number;
          }
        }
      });
      importsOrRefuses(changed);
    }),
    { numRuns: 3_000 },
  );
});
