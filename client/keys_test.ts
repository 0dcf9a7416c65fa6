import assert from "node:assert/strict";
import { plainBackend } from "../circuits/plain.ts";
import { capabilityOf, decodeFile } from "../circuits/wire.ts";
import { SottoError } from "../errors.ts";
import { addKeys, isSealed, newKeys, openSecretKey } from "./keys.ts";

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof SottoError && error.code === code;
}

Deno.test("both files of a key pair carry its id and no model", async () => {
  const backend = plainBackend();
  const { secretFile, evaluationFile, keyId } = await newKeys(backend);
  const secret = decodeFile(secretFile, { kind: "secret_key" });
  const evaluation = decodeFile(evaluationFile, { kind: "evaluation_keys" });
  for (const { header } of [secret, evaluation]) {
    assert.equal(header.keyId.toHex(), keyId);
    assert.equal(header.parameterSet, backend.parameterSet);
    assert.ok(header.modelId.every((byte) => byte === 0));
  }
  assert.ok(secret.payload.every((byte) => byte <= 2));
});

Deno.test("two key pairs differ", async () => {
  const backend = plainBackend();
  const [first, second] = [await newKeys(backend), await newKeys(backend)];
  assert.notEqual(first.keyId, second.keyId);
  assert.notDeepEqual(first.secretFile, second.secretFile);
});

Deno.test("an unsealed secret key opens to the same key", async () => {
  const backend = plainBackend();
  const { secretFile, keyId } = await newKeys(backend);
  using opened = await openSecretKey(backend, secretFile);
  assert.equal(opened.keyId.toHex(), keyId);
  assert.deepEqual(backend.exportSecretKey(opened.key), decodeFile(secretFile).payload);
  assert.equal(isSealed(secretFile), false);
});

Deno.test("a sealed secret key opens with its passphrase only", async () => {
  const backend = plainBackend();
  const { secretFile } = await newKeys(backend, { passphrase: "blue whale" });
  assert.equal(isSealed(secretFile), true);
  using opened = await openSecretKey(backend, secretFile, "blue whale");
  assert.equal(opened.key.closed, false);
  await assert.rejects(openSecretKey(backend, secretFile), hasCode("passphrase_needed"));
  await assert.rejects(openSecretKey(backend, secretFile, "blue wale"), hasCode("passphrase_wrong"));
});

Deno.test("disposing of an opened key closes it", async () => {
  const backend = plainBackend();
  const opened = await openSecretKey(backend, (await newKeys(backend)).secretFile);
  opened[Symbol.dispose]();
  assert.throws(() => backend.exportSecretKey(opened.key), hasCode("backend_failed"));
});

Deno.test("other files and changed files are refused", async () => {
  const backend = plainBackend();
  const { secretFile, evaluationFile } = await newKeys(backend);
  await assert.rejects(openSecretKey(backend, evaluationFile), hasCode("wrong_file_kind"));
  await assert.rejects(openSecretKey(backend, secretFile.slice(0, -1)), hasCode("malformed_file"));
  secretFile[500] ^= 1;
  await assert.rejects(openSecretKey(backend, secretFile), hasCode("digest_mismatch"));
});

Deno.test("only the files that are asked for are made, each once", async () => {
  const shares: number[] = [];
  const onProgress = (share: number) => shares.push(share);
  const made = await newKeys(plainBackend(), { capabilities: ["lookup1", "pack", "lookup1"], onProgress });
  assert.deepEqual([...made.files.keys()], ["lookup1", "pack"]);
  assert.deepEqual(shares, [0.5, 1]);
  for (const [capability, file] of made.files) {
    const { header } = decodeFile(file);
    assert.equal(capabilityOf(header), capability);
    assert.equal(header.keyId.toHex(), made.keyId);
  }
  assert.equal(made.evaluationFile, made.files.get("pack"));
  const without = await newKeys(plainBackend(), { capabilities: [] });
  assert.throws(() => without.evaluationFile, hasCode("internal"));
});

Deno.test("a further key file of a sealed secret key belongs to its pair", async () => {
  const backend = plainBackend();
  const { secretFile, keyId } = await newKeys(backend, { passphrase: "blue whale", capabilities: [] });
  const { header } = decodeFile(await addKeys(backend, secretFile, "lookup1", "blue whale"));
  assert.deepEqual([header.keyId.toHex(), header.kind, header.flags], [keyId, "lookup_keys", 1]);
  await assert.rejects(addKeys(backend, secretFile, "pack"), hasCode("passphrase_needed"));
});
