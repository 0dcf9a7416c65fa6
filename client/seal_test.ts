import assert from "node:assert/strict";
import { SottoError } from "../errors.ts";
import { seal, SEAL_OVERHEAD_BYTES, unseal } from "./seal.ts";

const plain = Uint8Array.from({ length: 64 }, (_, index) => index % 3);
const bound = new Uint8Array([1, 2, 3]);

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof SottoError && error.code === code;
}

Deno.test("sealed bytes open with the same passphrase and only with it", async () => {
  const sealed = await seal(plain, "correct horse", bound);
  assert.equal(sealed.length, plain.length + SEAL_OVERHEAD_BYTES);
  assert.deepEqual(await unseal(sealed, "correct horse", bound), plain);
  await assert.rejects(unseal(sealed, "correct horsf", bound), hasCode("passphrase_wrong"));
  await assert.rejects(unseal(sealed, "correct horse", new Uint8Array([1, 2, 4])), hasCode("passphrase_wrong"));
});

Deno.test("a passphrase means the same however its accents are composed", async () => {
  const sealed = await seal(plain, "caf\u00e9", bound);
  assert.deepEqual(await unseal(sealed, "cafe\u0301", bound), plain);
});

Deno.test("an empty passphrase and short bytes are refused", async () => {
  await assert.rejects(seal(plain, "", bound), hasCode("passphrase_needed"));
  await assert.rejects(unseal(new Uint8Array(10), "x", bound), hasCode("malformed_file"));
});
