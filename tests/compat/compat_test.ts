import assert from "node:assert/strict";
import { descriptionSchema } from "../../circuits/mod.ts";
import { decodeFile } from "../../circuits/wire.ts";
import { decryptAnswers, openSecretKey } from "../../client/mod.ts";
import { type ErrorCode, isSottoError } from "../../errors.ts";
import { openBackend } from "../../ffi/mod.ts";
import { COMMITTED, readCase, readExpected } from "../fixtures/cases.ts";

const v1 = (name: string) => Deno.readFile(new URL(`v1/${name}`, import.meta.url));

Deno.test("keys, rows and answers of version 1 are read, and the answers decrypt to the predictions of their time", async () => {
  const backend = openBackend();
  const secret = await openSecretKey(backend, await v1("secret.key"));
  const description = descriptionSchema.parse(JSON.parse(new TextDecoder().decode(await v1("description.json"))));
  const found = await decryptAnswers(backend, secret, { id: "22".repeat(32), description }, await v1("answers.sotto"));
  const expected = readExpected(COMMITTED, readCase(COMMITTED, "wdbc_dt")).slice(0, 3);
  assert.deepEqual(found.map(({ label }) => String(label)), expected.map(({ label }) => label));
  (await backend.loadEvaluationKeys(decodeFile(await v1("evaluation.key"), { kind: "evaluation_keys" }).payload))
    .close();
  assert.equal(decodeFile(await v1("rows.sotto"), { kind: "encrypted_rows" }).header.rowCount, 3);
  secret.key.close();
  backend.close();
});

/** What is done to a good file, and the code it is refused with. */
const DAMAGES: [string, (file: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>, ErrorCode][] = [
  ["another magic", (file) => (file[0] ^= 1, file), "malformed_file"],
  ["a newer version", (file) => (file[8] = 2, file), "unsupported_version"],
  ["an unknown kind", (file) => (file[10] = 99, file), "malformed_file"],
  ["another kind", (file) => (file[10] = 5, file), "wrong_file_kind"],
  ["another parameter set", (file) => (file[32] ^= 1, file), "wrong_parameter_set"],
  ["more records than bytes", (file) => (file[12] += 1, file), "malformed_file"],
  ["records of another size", (file) => (file[16] += 1, file), "malformed_file"],
  ["records of four gigabytes", (file) => (file.fill(255, 12, 20), file), "malformed_file"],
  ["a changed payload", (file) => (file[5000] ^= 1, file), "digest_mismatch"],
  ["a changed digest", (file) => (file[file.length - 1] ^= 1, file), "digest_mismatch"],
  ["a cut end", (file) => file.slice(0, -1), "malformed_file"],
  ["a longer end", (file) => new Uint8Array([...file, 0]), "malformed_file"],
  ["half a header", (file) => file.slice(0, 64), "malformed_file"],
  ["nothing in it", (file) => file.slice(0, 0), "malformed_file"],
];

for (const [damage, change, code] of DAMAGES) {
  Deno.test(`a rows file with ${damage} is refused as ${code}`, async () => {
    const file = change(await v1("rows.sotto"));
    assert.throws(
      () => decodeFile(file, { kind: "encrypted_rows", parameterSet: "ring-2048-q50" }),
      (error) => isSottoError(error) && error.code === code,
    );
  });
}
