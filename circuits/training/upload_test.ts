import assert from "node:assert/strict";
import { plainBackend } from "../plain.ts";
import { encryptData, encryptLabels } from "./encode.ts";
import { parseTrainingSpec } from "./spec.ts";
import { joinUpload, mergeUploads, splitUpload } from "./upload.ts";

const backend = plainBackend();
const secretKey = backend.generateSecretKey();
const publicKey = backend.training.generatePublicKey(secretKey);
const spec = parseTrainingSpec({
  kind: "logistic",
  classes: [0, 1, 2],
  features: [{ name: "a", min: 0, max: 1 }],
  batch_size: 2,
  steps: 1,
  learning_rate: { schedule: "constant", rate: 1 },
});

for (const kind of ["seeded", "public"] as const) {
  Deno.test(`a ${kind} upload of data, labels or both comes back as it was`, async () => {
    const owner = kind === "seeded" ? { secretKey } : { publicKey };
    const data = await encryptData(backend, owner, spec, { rows: [[0.5], undefined] });
    const labels = await encryptLabels(backend, owner, spec, [1, undefined]);
    for (const upload of [{ data }, { data: [], labels }, { data, labels }]) {
      assert.deepEqual(splitUpload(spec, kind, joinUpload(upload)), upload);
    }
    assert.deepEqual(mergeUploads(spec, [{ data }, { data: [], labels }]), { chunks: [[data[0]]], labels: [labels] });
    assert.throws(() => mergeUploads(spec, [{ data }]), { code: "conflict" });
    assert.throws(() => mergeUploads(spec, [{ data: [], labels }]), { code: "conflict" });
    assert.throws(() => splitUpload(spec, kind, joinUpload({ data, labels }).slice(1)), { code: "malformed_file" });
    assert.throws(() => splitUpload(spec, kind, new Uint8Array(0)), { code: "malformed_file" });
  });
}
