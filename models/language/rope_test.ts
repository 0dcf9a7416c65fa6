import assert from "node:assert/strict";
import { assertRefused } from "../../tests/fixtures/assert_refused.ts";
import { fixture } from "./fixtures.ts";
import { readConfigJson } from "./llama_config_json.ts";
import { ropeFrequencies } from "./rope.ts";

interface StoredRope {
  readonly rope_parameters: Record<string, unknown>;
  readonly head_dim: number;
  readonly frequencies: number[];
}

Deno.test("frequencies are those of transformers for every kind of scaling", async () => {
  const stored: StoredRope[] = JSON.parse(await Deno.readTextFile(fixture("rope.json")));
  const fields = JSON.parse(await Deno.readTextFile(fixture("tiny/config.json")));
  assert.equal(stored.length, 3);
  for (const { rope_parameters, head_dim, frequencies } of stored) {
    const config = readConfigJson(JSON.stringify({ ...fields, rope_parameters, head_dim }));
    const found = ropeFrequencies(config.rope, config.headSize);
    assert.equal(found.length, frequencies.length);
    // transformers computes in single precision.
    found.forEach((value, index) => assert.ok(Math.abs(value / frequencies[index] - 1) < 1e-5, `${index}`));
  }
});

Deno.test("divisors divide the frequencies, and are as many", () => {
  const plain = ropeFrequencies({ theta: 100, scaling: { kind: "none" } }, 4);
  assert.deepEqual([...plain], [1, 0.1]);
  const divided = ropeFrequencies({ theta: 100, scaling: { kind: "divisors", divisors: [1, 4] } }, 4);
  assert.deepEqual([...divided], [1, 0.025]);
  const short = { theta: 100, scaling: { kind: "divisors", divisors: [1] } } as const;
  assertRefused("model_refused", "1 rope divisors", () => ropeFrequencies(short, 4));
});
