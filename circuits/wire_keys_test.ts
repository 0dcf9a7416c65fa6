import assert from "node:assert/strict";
import { SottoError } from "../errors.ts";
import type { Capability } from "./backend.ts";
import {
  CAPABILITIES,
  capabilityOf,
  decodeHeader,
  encodeHeader,
  type Header,
  keyFileHeader,
  keyPayloadBytes,
  lookupSettingOf,
} from "./wire.ts";

const owner = { keyId: new Uint8Array(32).fill(3), parameterSet: "ring-2048-q50" };

const isMalformed = (error: unknown) => error instanceof SottoError && error.code === "malformed_file";

Deno.test("the header of every key file comes back as it was written and tells its capability", () => {
  for (const capability of CAPABILITIES) {
    const header = keyFileHeader(capability, owner);
    const read = decodeHeader(encodeHeader(header));
    assert.deepEqual(read, header);
    assert.equal(capabilityOf(read), capability);
  }
});

Deno.test("lookup keys are kind 6 with their setting as flags, evaluation keys kind 2 without flags", () => {
  const fields = (capability: Capability) => {
    const view = new DataView(encodeHeader(keyFileHeader(capability, owner)).buffer);
    return [view.getUint16(10, true), view.getUint16(26, true), view.getUint16(24, true)];
  };
  assert.deepEqual(fields("pack"), [2, 0, 50]);
  assert.deepEqual(fields("lookup1"), [6, 1, 50]);
  assert.deepEqual(fields("lookup3"), [6, 3, 50]);
});

Deno.test("a lookup key file has the bytes of its seed, its switching key and its rotation key", () => {
  for (const [capability, setting] of [["lookup1", 1], ["lookup2", 2], ["lookup3", 3]] as const) {
    assert.equal(lookupSettingOf(capability), setting);
    assert.equal(keyPayloadBytes(capability), 32 + 2048 * 8 * 4 + 840 * 2 * setting * 12800);
  }
  assert.equal(lookupSettingOf("pack"), undefined);
});

Deno.test("a setting that does not exist, a second record and other bits are malformed", () => {
  const good = keyFileHeader("lookup2", owner);
  for (const flags of [0, 4, 65535]) assert.throws(() => encodeHeader({ ...good, flags }), isMalformed);
  assert.throws(() => encodeHeader({ ...good, kind: "evaluation_keys" }), isMalformed);
  assert.throws(() => encodeHeader({ ...good, rowCount: 1 }), isMalformed);
  const wrong: Partial<Header>[] = [{ recordCount: 2 }, { recordCount: 0 }, { coefficientBits: 49 }, {
    kind: "public_key",
    flags: 0,
  }];
  for (const change of wrong) assert.throws(() => capabilityOf({ ...good, ...change }), isMalformed);
});

Deno.test("one of several kinds can be expected", () => {
  const bytes = encodeHeader(keyFileHeader("lookup1", owner));
  assert.equal(decodeHeader(bytes, { kind: ["evaluation_keys", "lookup_keys"] }).kind, "lookup_keys");
  assert.throws(() => decodeHeader(bytes, { kind: ["evaluation_keys", "secret_key"] }), {
    code: "wrong_file_kind",
    message: /holds lookup keys, expected evaluation keys or secret key/,
  });
});
