import assert from "node:assert/strict";
import { plainBackend } from "../circuits/plain.ts";
import { measureNetwork, relativeError, share } from "./measure_network.ts";
import { NetworkKeys } from "./network_keys.ts";
import { isPresent, loadNetwork, NETWORKS } from "./network_models.ts";

const [wdbc] = NETWORKS;

Deno.test("without encryption a network answers as its simulation says, from its true labels on", async () => {
  const backend = plainBackend();
  using keys = new NetworkKeys(backend);
  const loaded = await loadNetwork(wdbc);
  const measured = await measureNetwork(backend, keys, loaded, { threads: 1, rowCount: 20, singleRuns: 2 });
  assert.equal(measured.rowCount, 20);
  assert.ok(measured.floatAccuracy > 0.93, `${measured.floatAccuracy}`);
  assert.ok(measured.simulatedAccuracy > 0.93, `${measured.simulatedAccuracy}`);
  assert.equal(measured.agreement, 1);
  assert.ok(measured.scoreError <= measured.simulatedScoreError, `${measured.scoreError}`);
  assert.equal(measured.plan.lookups_per_row, 32);
  assert.ok(measured.secondsPerRow > 0 && measured.secondsSingle > 0);
});

Deno.test("networks of the repository are there, and a missing file is named with the way to make it", async () => {
  assert.deepEqual(await Promise.all(NETWORKS.slice(0, 2).map(isPresent)), [true, true]);
  const missing = { ...wdbc, stem: new URL("no_such_network", wdbc.stem) };
  assert.equal(await isPresent(missing), false);
  await assert.rejects(loadNetwork(missing), /no_such_network\.onnx cannot be read: .*networks\.py --all/);
});

Deno.test("a share counts equal values at equal places", () => {
  assert.equal(share([1, 2, 3, 4], [1, 0, 3, 4, 5]), 0.75);
});

Deno.test("the relative error is the root mean square of the differences over that of the wanted values", () => {
  assert.equal(relativeError([[3, 4]], [[3, 4], [9, 9]]), 0);
  assert.equal(relativeError([[0, 0]], [[3, 4]]), 1);
  assert.equal(relativeError([[1]], [[0]]), 0);
});
