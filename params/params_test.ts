import assert from "node:assert/strict";
import { isSottoError } from "../errors.ts";
import { checkParameterSet } from "./checked.ts";
import { CURRENT } from "./current.ts";
import { checkLweParameterSet } from "./lwe.ts";
import { header, HEADER_PATH } from "./generate_header.ts";
import { isPrime } from "./modular.ts";
import { checkTokenParameterSet } from "./tokens.ts";
import ring from "./ring-2048-q50.json" with { type: "json" };
import { tuniformVariance } from "./security.ts";

const refused = (code: string, text: RegExp) => (error: unknown) =>
  isSottoError(error) && error.code === code && text.test(error.message);

Deno.test("every parameter set in this folder passes its checks and is named after its file", async () => {
  let count = 0;
  for await (const entry of Deno.readDir(new URL(".", import.meta.url))) {
    if (!entry.name.endsWith(".json") || entry.name.endsWith(".lock.json")) continue;
    const literal = JSON.parse(await Deno.readTextFile(new URL(entry.name, import.meta.url)));
    const check = { lwe: checkLweParameterSet, tokens: checkTokenParameterSet }[literal.kind as string] ??
      checkParameterSet;
    const set = check(literal);
    assert.equal(`${set.name}.json`, entry.name);
    assert.ok(set.securityBits >= 128);
    count++;
  }
  assert.ok(count >= 1);
});

Deno.test("a weakened set is refused as insecure", () => {
  const weak = "insecure_parameter_set";
  assert.throws(
    () => checkParameterSet({ ...ring, noise: { distribution: "tuniform", bound_log: 2 } }),
    refused(weak, /noise/),
  );
  assert.throws(() => checkParameterSet({ ...ring, security_bits: 140 }), refused(weak, /differ/));
  const other = { modulus: "1125899906629633", root_of_unity: String(primitiveRoot(1125899906629633n, 4096n)) };
  assert.throws(() => checkParameterSet({ ...ring, ...other }), refused(weak, /differ/));
  const half = { ring_degree: 1024, root_of_unity: String(primitiveRoot(BigInt(ring.modulus), 2048n)) };
  assert.throws(() => checkParameterSet({ ...ring, ...half }), refused(weak, /above 2\^26/));
  const tiny = { ring_degree: 512, root_of_unity: String(primitiveRoot(BigInt(ring.modulus), 1024n)) };
  assert.throws(() => checkParameterSet({ ...ring, ...tiny }), refused(weak, /no security cap/));
});

Deno.test("a set without a pinned estimate is refused as insecure", () => {
  assert.throws(
    () => checkParameterSet({ ...ring, name: "ring-2048-q50-b" }),
    refused("insecure_parameter_set", /estimate/),
  );
  assert.throws(
    () => checkParameterSet({ ...ring, name: "constructor" }),
    refused("insecure_parameter_set", /estimate/),
  );
});

Deno.test("numbers that make no ring are refused by name", () => {
  const wrong = (change: object, text: RegExp) =>
    assert.throws(() => checkParameterSet({ ...ring, ...change }), refused("wrong_parameter_set", text));
  wrong({ ring_degree: 2047 }, /power of two/);
  wrong({ modulus: "1125899906826243" }, /prime/);
  wrong({ modulus: "1125899906842625" }, /below 2\^50/);
  wrong({ modulus: "1125899906842597" }, /not 1 mod 4096/);
  wrong({ root_of_unity: "2" }, /primitive/);
  wrong({ root_of_unity: "1" }, /primitive/);
  const gadgets = (change: object) => ({ gadgets: { ...ring.gadgets, ...change } });
  wrong(gadgets({ trees: { base_log: 13, level_count: 4 } }), /gadget 13, 4 has more bits/);
  for (const [base_log, level_count] of [[16, 3], [17, 4], [25, 3]]) {
    wrong(gadgets({ rgsw: { base_log, level_count } }), /of rgsw does not cover/);
  }
  wrong({ secret: "gaussian" }, /secret/);
  wrong({ modulus: -5 }, /modulus/);
  assert.throws(() => checkParameterSet(null), refused("wrong_parameter_set", /parameter set/));
});

Deno.test("a checked set cannot be changed", () => {
  assert.ok(Object.isFrozen(CURRENT) && Object.isFrozen(CURRENT.gadgets) && Object.isFrozen(CURRENT.gadgets.trees));
});

Deno.test("the modulus is the largest prime below 2^50 that is 1 mod 4096", () => {
  for (let q = (1n << 50n) - 4095n; q > CURRENT.modulus; q -= 4096n) assert.ok(!isPrime(q), String(q));
  assert.ok(isPrime(CURRENT.modulus));
});

Deno.test("primes are told from strong pseudoprimes", () => {
  for (const n of [2n, 3n, 37n, 65537n, (1n << 61n) - 1n]) assert.ok(isPrime(n), String(n));
  for (const n of [0n, 1n, 561n, 2047n, 3215031751n, 3825123056546413051n]) assert.ok(!isPrime(n), String(n));
});

Deno.test("the variance of a bounded uniform is the sum over its points", () => {
  let sum = 0;
  for (let x = -8; x <= 8; x++) sum += x * x * (Math.abs(x) === 8 ? 1 / 32 : 1 / 16);
  assert.equal(tuniformVariance(3), sum);
});

Deno.test("the committed C++ header is what the generator writes", async () => {
  assert.equal(await Deno.readTextFile(HEADER_PATH), header());
});

/** Some primitive root of unity of order `order` modulo the prime q. */
function primitiveRoot(q: bigint, order: bigint): bigint {
  const power = (x: bigint, e: bigint): bigint => e === 0n ? 1n : power(x * x % q, e >> 1n) * ((e & 1n) ? x : 1n) % q;
  for (let x = 2n;; x++) {
    const root = power(x, (q - 1n) / order);
    if (power(root, order / 2n) === q - 1n) return root;
  }
}
