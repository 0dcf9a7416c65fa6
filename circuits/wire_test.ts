import assert from "node:assert/strict";
import fc from "fast-check";
import { isSottoError, type SottoError } from "../errors.ts";
import {
  answerLayout,
  decodeFile,
  decodeHeader,
  encodeFile,
  encodeHeader,
  evaluationKeysBytes,
  expectedLength,
  type Header,
  inputRecordBytes,
  linearAnswerRecordBytes,
} from "./wire.ts";

const header = (fields: Partial<Header> = {}): Header => ({
  kind: "encrypted_rows",
  recordCount: 3,
  recordBytes: 5,
  rowCount: 3,
  coefficientBits: 40,
  flags: 0,
  parameterSet: "ring-2048-q50",
  keyId: new Uint8Array(32).fill(7),
  modelId: new Uint8Array(32).fill(9),
  ...fields,
});

const code = (expected: string) => (error: unknown) => isSottoError(error) && error.code === expected;

/** Headers that fit, over the whole range of every field. */
const headers = fc.record({
  kind: fc.constantFrom("encrypted_rows" as const, "encrypted_answers" as const),
  recordCount: fc.nat(40),
  recordBytes: fc.nat(70),
  rowCount: fc.nat(0xffffffff),
  coefficientBits: fc.integer({ min: 1, max: 64 }),
  flags: fc.constant(0),
  parameterSet: fc.stringMatching(/^[!-~]{1,32}$/),
  keyId: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  modelId: fc.uint8Array({ minLength: 32, maxLength: 32 }),
}, { noNullPrototype: true });

Deno.test("a header comes back as it was written", () => {
  fc.assert(fc.property(headers, (header) => assert.deepEqual(decodeHeader(encodeHeader(header)), header)));
});

Deno.test("a header has its fields where the format says", () => {
  const bytes = encodeHeader(header());
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  assert.equal(hex.slice(0, 64), "534f54544f001a0a01000400030000000500000003000000280000000000" + "0000");
  assert.equal(new TextDecoder().decode(bytes.subarray(32, 45)), "ring-2048-q50");
  assert.equal(bytes[64], 7);
  assert.equal(bytes[96], 9);
});

Deno.test("a file comes back as it was written and its digest is its identity", () => {
  const payload = fc.uint8Array({ minLength: 15, maxLength: 15 });
  fc.assert(fc.property(payload, (payload) => {
    const file = encodeFile(header(), payload);
    const decoded = decodeFile(file, { kind: "encrypted_rows", maxBytes: 175 });
    assert.deepEqual(decoded.payload, payload);
    assert.match(decoded.digest, /^[0-9a-f]{64}$/);
    assert.equal(file.length, expectedLength(decoded.header));
  }));
});

Deno.test("every header that is wrong is refused with its own code", () => {
  const good = encodeHeader(header());
  const change = (at: number, ...values: number[]) => {
    const bytes = good.slice();
    bytes.set(values, at);
    return bytes;
  };
  assert.throws(() => decodeHeader(good.subarray(0, 127)), code("malformed_file"));
  assert.throws(() => decodeHeader(change(0, 0)), code("malformed_file"));
  assert.throws(() => decodeHeader(change(8, 2)), code("unsupported_version"));
  assert.throws(() => decodeHeader(change(10, 6)), code("malformed_file"));
  assert.throws(() => decodeHeader(change(10, 0)), code("malformed_file"));
  assert.throws(() => decodeHeader(change(12, 255, 255, 255, 255, 255, 255, 255, 255)), code("malformed_file"));
  assert.throws(() => decodeHeader(change(24, 0)), code("malformed_file"));
  assert.throws(() => decodeHeader(change(26, 1)), code("malformed_file"));
  assert.throws(() => decodeHeader(change(28, 1)), code("malformed_file"));
  assert.throws(() => decodeHeader(change(60, 65)), code("malformed_file"));
  assert.throws(() => decodeHeader(change(10, 2)), code("malformed_file"), "keys name no model");
  assert.throws(() => decodeHeader(good, { kind: "public_key" }), code("wrong_file_kind"));
  assert.throws(() => decodeHeader(good, { parameterSet: "ring-4096-q50" }), code("wrong_parameter_set"));
  assert.throws(() => decodeHeader(good, { maxBytes: 174 }), code("body_too_large"));
});

Deno.test("a changed byte is a digest mismatch and a changed length is malformed", () => {
  const file = encodeFile(header(), new Uint8Array(15));
  const changed = file.slice();
  changed[130] ^= 1;
  assert.throws(() => decodeFile(changed), code("digest_mismatch"));
  assert.throws(() => decodeFile(file.subarray(0, 170)), code("malformed_file"));
  assert.throws(() => decodeFile(Uint8Array.from([...file, 0])), code("malformed_file"));
  assert.throws(() => encodeFile(header(), new Uint8Array(14)), code("malformed_file"));
});

Deno.test("forty thousand damaged files give nothing but typed errors", () => {
  const file = encodeFile(header(), new Uint8Array(15).map((_, i) => i));
  const flip = fc.record({ at: fc.nat(file.length - 1), value: fc.nat(255) });
  let refused = 0;
  fc.assert(
    fc.property(fc.array(flip, { minLength: 1, maxLength: 6 }), fc.nat(200), fc.boolean(), (flips, cut, shorten) => {
      const damaged = file.slice(0, shorten ? cut : file.length);
      for (const { at, value } of flips) if (at < damaged.length) damaged[at] = value;
      try {
        decodeFile(damaged, { maxBytes: 1000, parameterSet: "ring-2048-q50" });
        assert.deepEqual(damaged, file);
      } catch (error) {
        if (!isSottoError(error)) throw error;
        assert.ok((error as SottoError).status < 500);
        refused++;
      }
    }),
    { numRuns: 40_000 },
  );
  assert.ok(refused > 30_000);
});

Deno.test("sizes are those of the format's documentation", () => {
  assert.equal(inputRecordBytes(40), 32 + 10240);
  assert.equal(evaluationKeysBytes(), 32 + (11 * 4 + 1) * 12800);
  assert.equal(
    linearAnswerRecordBytes({ scoreCount: 3, columnCount: 31, bits: 36 }),
    3 * (2048 * 36 / 8 + 64 * 36 / 8),
  );
});

Deno.test("438 outputs of 104 columns are 28 products packed into one ciphertext", () => {
  const layout = answerLayout({ outputs: 438, columnCount: 104, bits: 26 });
  assert.equal(layout.productCount, 28);
  assert.deepEqual(layout.usefulCounts, [438]);
  assert.equal(layout.recordBytes, 2048 * 26 / 8 + Math.ceil(438 * 26 / 8));
  assert.equal(layout.positions[1], 128);
  assert.equal(layout.positions[16], 4);
});

Deno.test("every output has a coefficient of its own for any shape", () => {
  const shape = fc.record({
    outputs: fc.integer({ min: 1, max: 7000 }),
    columnCount: fc.integer({ min: 0, max: 5000 }),
  });
  fc.assert(
    fc.property(shape, ({ outputs, columnCount }) => {
      const layout = answerLayout({ outputs, columnCount, bits: 26 });
      let first = 0;
      for (const useful of layout.usefulCounts) {
        const seen = new Set(layout.positions.subarray(first, first + useful));
        assert.equal(seen.size, useful);
        assert.ok(layout.positions.subarray(first, first + useful).every((at) => at < 2048));
        first += useful;
      }
      assert.equal(first, outputs);
    }),
    { numRuns: 300 },
  );
});
