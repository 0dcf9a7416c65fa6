/** A server whose objects lie in a bucket. */
import assert from "node:assert/strict";
import { plainBackend } from "../../circuits/plain.ts";
import { newKeys, openSecretKey, predictRows, SottoClient } from "../../client/mod.ts";
import { openStore } from "../../store/mod.ts";
import { openBucket } from "../../store/s3_bucket.ts";
import { makeDataFolder } from "../support/data_folder.ts";
import { fixture, fixtureRows } from "../support/fixtures.ts";
import { startS3Server } from "../support/s3_server.ts";
import { startServerProcess } from "../support/server_process.ts";

Deno.test("a server with a bucket predicts, goes on after kill -9, and leaves nothing in the bucket that was deleted", async () => {
  const s3 = await startS3Server();
  const dataDir = await makeDataFolder();
  const location = { s3Endpoint: s3.endpoint, s3Region: "us-east-1", s3ForcePathStyle: true };
  const environment = {
    SOTTO_OBJECTS: "s3://objects/sotto",
    SOTTO_S3_ENDPOINT: s3.endpoint,
    SOTTO_S3_FORCE_PATH_STYLE: "true",
  };
  const { client, library } = await openBucket({ bucket: "objects", prefix: "", ...location });
  await client.send(new library.CreateBucketCommand({ Bucket: "objects" }));
  client.destroy();
  try {
    const backend = plainBackend();
    const pair = await newKeys(backend);
    const first = await startServerProcess(dataDir, environment);
    const client = new SottoClient(first.url, first.token);
    const keys = await client.registerKeys(new Uint8Array(pair.evaluationFile));
    const model = await client.importModel({ name: "iris", format: "xgboost", file: await fixture("iris_xgb.json") });
    await first.end("SIGKILL");
    const second = await startServerProcess(dataDir, environment);
    const again = new SottoClient(second.url, second.token);
    const rows = await fixtureRows("iris_rows.csv", 3);
    using secret = await openSecretKey(backend, pair.secretFile);
    const { predictions } = await predictRows(again, backend, secret, model, rows);
    assert.equal(predictions.length, 3);
    const spool = await Deno.makeTempDir();
    const store = await openStore({ ...location, objects: environment.SOTTO_OBJECTS, dataDir: spool });
    assert.equal((await Array.fromAsync(store.list())).length, 2);
    await again.deleteModel(model.id);
    await again.deleteKeys(keys.id);
    assert.deepEqual(await Array.fromAsync(store.list()), []);
    await store.close();
    await Deno.remove(spool, { recursive: true });
    await second.end("SIGTERM");
  } finally {
    await s3.kill();
    await Deno.remove(dataDir, { recursive: true });
  }
});
