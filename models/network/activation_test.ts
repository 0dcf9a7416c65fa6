import assert from "node:assert/strict";
import { erf, erfc } from "../erf.ts";
import { applyActivation } from "./activation.ts";
import { assertClose } from "./assert_close.ts";
import { recognise } from "./curve.ts";
import type { ActivationFunction } from "./types.ts";

Deno.test("the error function is exact to double precision", () => {
  const points = [0, 0.5, 1, 2, 2.4, 2.6, 3, 5];
  const wanted = [
    0,
    0.5204998778130465,
    0.8427007929497149,
    0.9953222650189527,
    0.9993114861033549,
    0.9997639655834707,
    0.9999779095030014,
    0.9999999999984626,
  ];
  assertClose(points.map(erf), wanted, 1e-14);
  assertClose(points.map((x) => erf(-x)), wanted.map((y) => -y), 1e-14);
  assert.ok(Math.abs(erfc(3) / 2.209049699858544e-5 - 1) < 1e-12);
  assert.ok(Math.abs(erfc(10) / 2.088487583762545e-45 - 1) < 1e-12);
});

Deno.test("functions that grow large neither overflow nor lose their ends", () => {
  const at = (name: "softplus" | "sigmoid" | "silu" | "gelu" | "tanh", x: number) => applyActivation({ name }, x);
  assert.deepEqual([at("softplus", 1000), at("sigmoid", -1000), at("tanh", 1000)], [1000, 0, 1]);
  assert.ok(Math.abs(at("silu", -1000)) === 0 && Math.abs(at("gelu", -1000)) === 0);
});

Deno.test("each function is recognised as itself, and others as none", () => {
  const names = ["gelu", "gelu_tanh", "silu", "hard_swish", "softplus", "softsign", "sigmoid", "tanh", "relu"] as const;
  for (const name of names) {
    const found = recognise((x) => applyActivation({ name } as ActivationFunction, x));
    assert.equal(found?.name, name);
  }
  for (const other of [Math.sin, Math.exp, (x: number) => x * x, (x: number) => x, Math.abs]) {
    const found = recognise(other);
    assert.ok(found === undefined || (other === Math.abs && found.name === "leaky_relu"), `${other} is ${found?.name}`);
  }
});
