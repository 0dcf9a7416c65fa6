import assert from "node:assert/strict";
import { SottoError } from "../../errors.ts";
import { Upload } from "./upload.ts";

const MIB = 1024 * 1024;

Deno.test("a body of a known length is not charged again when it arrives", async () => {
  const upload = new Upload(3 * MIB, () => Promise.reject(new Error("charged")));
  await upload.arrived(2 * MIB);
  await upload.end();
  assert.equal(upload.bytes, 3 * MIB);
});

Deno.test("a body of unknown length is charged piece by piece, and the rest at its end", async () => {
  const charged: number[] = [];
  const upload = new Upload(undefined, (bytes) => Promise.resolve(void charged.push(bytes)));
  for (let index = 0; index < 5; index++) await upload.arrived(MIB / 2);
  assert.deepEqual(charged, [MIB, MIB]);
  await upload.end();
  assert.deepEqual(charged, [MIB, MIB, MIB / 2]);
  assert.equal(upload.bytes, 2.5 * MIB);
});

Deno.test("a body of unknown length ends with rate_limited when the tenant's bytes are used up", async () => {
  const upload = new Upload(undefined, () => Promise.reject(new SottoError("rate_limited", "no")));
  await upload.arrived(MIB - 1);
  await assert.rejects(upload.arrived(1), { code: "rate_limited" });
});
