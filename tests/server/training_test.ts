import assert from "node:assert/strict";
import { unitRow } from "../../circuits/training/data.ts";
import { decryptIntegers } from "../../circuits/training/decode.ts";
import { decodeCheckpoint, scoresOf, simulateTraining } from "../../circuits/training/mod.ts";
import { followTraining, openScores, openWeights, predictionFile, refreshedWeights } from "../../client/mod.ts";
import { decodeTrainingFile } from "../../circuits/training_file.ts";
import { CURRENT } from "../../params/mod.ts";
import { withServer } from "../support/server.ts";
import { codeOf, makeData, readySession, SPEC } from "./training_support.ts";

const centred = (x: bigint) => Number(x > CURRENT.modulus / 2n ? x - CURRENT.modulus : x);

Deno.test("a session trains in slices to the weights that its simulation has, and predicts with them", () =>
  withServer(async (server) => {
    const { calls, session: { id }, secret } = await readySession(server);
    assert.equal((await calls.run(id, 5)).state, "running");
    const paused = await followTraining(calls, id);
    assert.deepEqual([paused.state, paused.step, paused.checkpoint_step], ["paused", 5, 5]);
    await calls.run(id);
    const trained = await followTraining(calls, id);
    assert.deepEqual([trained.state, trained.step], ["trained", 12]);
    const file = await calls.weights(id);
    const { payload } = decodeTrainingFile(file, {
      kind: "training_weights",
      parameterSet: server.backend.parameterSet,
    });
    const { first } = await decryptIntegers(server.backend, secret.key, SPEC, decodeCheckpoint(SPEC, payload));
    const { state } = simulateTraining(SPEC, makeData(14), { noise: false });
    const { weights, step } = await openWeights(server.backend, secret, SPEC, file);
    assert.equal(step, 12);
    assert.deepEqual(first.map((row) => [...row]), state.first.map((row) => Array.from(row, centred)));
    assert.equal((await calls.finish(id)).state, "finished");
    const rows = makeData(3).rows;
    const target = { sessionId: id, spec: SPEC, keyId: secret.keyId.toHex() };
    const rowsFile = await predictionFile(server.backend, { secretKey: secret.key }, target, rows);
    const scores = openScores(server.backend, secret, SPEC, step, await calls.predict(id, rowsFile));
    scores.forEach(([score], i) => {
      const [expected] = scoresOf(SPEC, weights, unitRow(SPEC, rows[i]));
      assert.ok(Math.abs(score - expected) < 0.2, `${score} ${expected}`);
    });
    await calls.delete(id);
    assert.equal(await codeOf(calls.get(id)), "session_unknown");
  }));

Deno.test("refreshed weights replace those of the same step only", () =>
  withServer(async (server) => {
    const { calls, session, secret } = await readySession(server);
    const { id } = session;
    await calls.run(id, 4);
    await followTraining(calls, id);
    const { backend } = server;
    const open = await openWeights(backend, secret, SPEC, await calls.weights(id));
    const weights = { ...open.weights, first: open.weights.first.map((row) => row.map(() => 0.5)) };
    await calls.putWeights(id, await refreshedWeights(backend, secret, session, { weights, step: 4 }));
    const again = await openWeights(backend, secret, SPEC, await calls.weights(id));
    again.weights.first[0].forEach((weight) => assert.ok(Math.abs(weight - 0.5) < 1e-3));
    const other = await refreshedWeights(backend, secret, session, { weights, step: 3 });
    assert.equal(await codeOf(calls.putWeights(id, other)), "conflict");
    assert.equal(await codeOf(calls.putWeights(id, await calls.weights(id))), "none");
  }));
