/**
 * Makes the museum of one file version: a key pair, encrypted rows and their answers, of this version of the program. Run once when
 * the version of the file format changes; old folders are never made again.
 *
 *     deno run -A tests/compat/make.ts tests/compat/v1
 */
import { planTrees } from "../../circuits/mod.ts";
import { decodeFile, encodeFile } from "../../circuits/wire.ts";
import { encryptRows, newKeys, openSecretKey } from "../../client/mod.ts";
import { openBackend } from "../../ffi/mod.ts";
import { importModel } from "../../models/mod.ts";
import { COMMITTED, readCase, readModelBytes, readRows } from "../fixtures/cases.ts";

const [folder] = Deno.args;
const backend = openBackend();
const entry = readCase(COMMITTED, "wdbc_dt");
const model = importModel(entry.format, readModelBytes(COMMITTED, entry), { bins: { kind: "model" } });
if (model.kind !== "forest") throw new Error("the model is not a forest");
const { description, spec } = planTrees(model, { ntt_ns: 1, packed_product_ns: 1, product_ns: 1, expand_ns: 1 });
const made = await newKeys(backend);
const secret = await openSecretKey(backend, made.secretFile);
const rows = readRows(COMMITTED, entry).slice(0, 3);
const { file } = await encryptRows(backend, secret, { id: "22".repeat(32), description }, rows);
const { header, payload } = decodeFile(file);
const answers = await backend.evaluateLeaves(
  backend.createLeafMatrix(spec),
  await backend.loadEvaluationKeys(decodeFile(made.evaluationFile).payload),
  payload,
  { rowCount: rows.length, inputBits: description.input_bits, answerBits: description.answer_bits },
);
const answersFile = encodeFile({
  ...header,
  kind: "encrypted_answers",
  recordBytes: answers.length / rows.length,
  coefficientBits: description.answer_bits,
}, answers);
const write = (name: string, bytes: Uint8Array) => Deno.writeFile(`${folder}/${name}`, bytes, { createNew: true });
await write("secret.key", made.secretFile);
await write("evaluation.key", made.evaluationFile);
await write("rows.sotto", file);
await write("answers.sotto", answersFile);
await write("description.json", new TextEncoder().encode(JSON.stringify(description, null, 1)));
