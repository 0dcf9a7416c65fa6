import assert from "node:assert/strict";
import type { Weights } from "../../circuits/training/mod.ts";
import { newKeys, openSecretKey, openWeights, refreshedWeights } from "../../client/mod.ts";
import { openPublicKey, publicKeyFile } from "../../client/mod.ts";
import { openBackend } from "../../ffi/mod.ts";
import { CURRENT } from "../../params/mod.ts";
import { SPEC } from "./training_support.ts";

const Q = CURRENT.modulus;
const SCALE = 1n << 40n;
/** Share of a uniform number below SCALE / 8 in absolute value, twice over. */
const CHANCE = 2 * Number(SCALE) / 8 * 2 / Number(Q);

const centred = (x: bigint) => Number(x > Q / 2n ? x - Q : x);

Deno.test("what is encrypted with a session's public key opens with its secret key, and is noise to every other key", async () => {
  const backend = await openBackend({});
  try {
    const own = await openSecretKey(backend, (await newKeys(backend, { capabilities: [] })).secretFile);
    const other = await openSecretKey(backend, (await newKeys(backend, { capabilities: [] })).secretFile);
    const file = publicKeyFile(backend, own);
    const publicKey = openPublicKey(backend, file, own.keyId.toHex());
    const messages = Int32Array.from({ length: CURRENT.ringDegree }, (_, i) => i % 2);
    const ciphertext = backend.training.encryptPublic(publicKey, messages, SCALE);
    const hits = (key: typeof own.key) =>
      Array.from(
        backend.training.phases(key, ciphertext),
        (phase, i) => Math.abs(centred(phase) - messages[i] * Number(SCALE)),
      )
        .filter((distance) => distance < Number(SCALE) / 8).length / messages.length;
    assert.equal(hits(own.key), 1);
    assert.ok(hits(other.key) < CHANCE + 0.02, `${hits(other.key)}`);
    const weights: Weights = { first: [Float64Array.of(0.5, -1, 2, 0.25)], second: [] };
    const session = { id: crypto.randomUUID(), spec: SPEC };
    const sealed = await refreshedWeights(backend, own, session, { weights, step: 0 });
    await assert.rejects(openWeights(backend, other, SPEC, sealed), { code: "wrong_key" });
    own[Symbol.dispose]();
    other[Symbol.dispose]();
  } finally {
    backend.close();
  }
});
