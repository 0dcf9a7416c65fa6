import assert from "node:assert/strict";
import { unitRow } from "../../circuits/training/data.ts";
import { scoresOf, trainClear, type TrainingSpec } from "../../circuits/training/mod.ts";
import { followTraining, openScores, openWeights, predictionFile } from "../../client/mod.ts";
import { openBackend } from "../../ffi/mod.ts";
import { withServer } from "../support/server.ts";
import { makeData, readySession, SPEC } from "./training_support.ts";

const spec: TrainingSpec = { ...SPEC, steps: 6 };
/** Of weights, against training in clear: rounded features and the noise of the tables, both far below. */
const TOLERANCE = 0.1;

Deno.test("an encrypted session ends near the weights of training in clear, and predicts encrypted rows with them", async () => {
  const backend = await openBackend({});
  await withServer(
    async (server) => {
      const { calls, session: { id }, secret } = await readySession(server, { spec });
      await calls.run(id);
      assert.equal((await followTraining(calls, id)).state, "trained");
      const { weights, step } = await openWeights(backend, secret, spec, await calls.weights(id));
      const [clear] = trainClear(spec, makeData(14)).first;
      weights.first[0].forEach((weight, f) =>
        assert.ok(Math.abs(weight - clear[f]) < TOLERANCE, `${weight} ${clear[f]}`)
      );
      await calls.finish(id);
      const { rows } = makeData(4);
      const target = { sessionId: id, spec, keyId: secret.keyId.toHex() };
      const file = await predictionFile(backend, { secretKey: secret.key }, target, rows);
      openScores(backend, secret, spec, step, await calls.predict(id, file)).forEach(([score], i) => {
        const [expected] = scoresOf(spec, weights, unitRow(spec, rows[i]));
        assert.ok(Math.abs(score - expected) < TOLERANCE, `${score} ${expected}`);
      });
      secret[Symbol.dispose]();
    },
    {},
    backend,
  );
});
