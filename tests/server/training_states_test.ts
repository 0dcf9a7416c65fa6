import assert from "node:assert/strict";
import { followTraining, serverFile, trainingKeyFile } from "../../client/mod.ts";
import { SottoError } from "../../errors.ts";
import { call, withServer } from "../support/server.ts";
import { slowTraining } from "../support/slow_training.ts";
import { callsOf, codeOf, giveKeys, makeSecret, readySession, SPEC } from "./training_support.ts";

Deno.test("what a state does not allow is refused with the state and what it allows", () =>
  withServer(async (server) => {
    const { calls, session: { id } } = await readySession(server);
    for (const refused of [calls.pause(id), calls.resume(id), calls.finish(id), calls.predict(id, new Uint8Array(1))]) {
      assert.equal(await codeOf(refused), "session_state");
    }
    await calls.run(id, 12);
    await followTraining(calls, id);
    const message = "the session is trained: run is not possible now, allowed are: put weights, finish, delete";
    await assert.rejects(calls.run(id), { code: "session_state", message });
    assert.equal(await codeOf(calls.addOwner(id, { name: "late", kind: "labels" })), "session_state");
    await calls.finish(id);
    assert.equal(await codeOf(calls.putWeights(id, await calls.weights(id))), "session_state");
    assert.deepEqual((await calls.get(id)).allowed, ["predict", "delete"]);
  }));

Deno.test("a session runs only when keys, owners and batches are complete, and says what is missing", () =>
  withServer(async (server) => {
    const calls = callsOf(server, server.ours.admin);
    const { id } = await calls.create({ name: "made", spec: SPEC, batchCount: 4 });
    assert.equal(await codeOf(calls.run(id)), "key_missing");
    const secret = await makeSecret(server, server.ours.admin);
    await giveKeys(calls, server.backend, id, secret);
    await assert.rejects(calls.run(id), { code: "conflict", message: /4 batches belong to no data owner/ });
    const rows = await calls.addOwner(id, { name: "first", kind: "rows", batches: { first: 0, count: 3 } });
    assert.equal(rows.batch_count, 3);
    await assert.rejects(calls.run(id), {
      code: "conflict",
      message: /1 batches belong to no data owner; first has uploaded 0 of 3/,
    });
    const overlap = calls.addOwner(id, { name: "second", kind: "rows", batches: { first: 2, count: 2 } });
    await assert.rejects(overlap, { code: "conflict", message: /first fills batches 2 to 2 already/ });
    assert.equal(await codeOf(calls.addOwner(id, { name: "labels", kind: "labels" })), "conflict");
    const beyond = calls.addOwner(id, { name: "third", kind: "rows", batches: { first: 3, count: 2 } });
    assert.equal(await codeOf(beyond), "malformed_request");
    assert.equal(
      await codeOf(calls.addOwner(id, { name: "first", kind: "rows", batches: { first: 3, count: 1 } })),
      "conflict",
    );
  }));

Deno.test("both key files of a session are of one key pair", () =>
  withServer(async (server) => {
    const calls = callsOf(server, server.ours.admin);
    const { id } = await calls.create({ name: "made", spec: SPEC, batchCount: 1 });
    await giveKeys(calls, server.backend, id, await makeSecret(server, server.ours.admin));
    const other = await makeSecret(server, server.ours.admin);
    assert.equal(await codeOf(calls.putKeys(id, await trainingKeyFile(server.backend, other))), "wrong_key");
    const file = await trainingKeyFile(server.backend, other);
    file[200] ^= 1;
    assert.equal(await codeOf(calls.putKeys(id, file)), "digest_mismatch");
  }));

Deno.test("a tenant has a number of sessions, and a specification that does not fit is refused with its number", () =>
  withServer(async (server) => {
    const calls = callsOf(server, server.ours.admin);
    const create = () => calls.create({ name: "made", spec: SPEC, batchCount: 1 });
    await create();
    assert.equal(await codeOf(create()), "quota_exceeded");
    const theirs = callsOf(server, server.theirs.admin);
    const refused = theirs.create({ name: "made", spec: { ...SPEC, l2: 0.9 }, batchCount: 1 });
    await assert.rejects(refused, { code: "model_refused", message: /l2 0.9 shrinks/ });
  }, { trainingSessionsPerTenant: 1 }));

Deno.test("a deleted session leaves no object behind", () =>
  withServer(async (server) => {
    const { calls, session: { id }, owner } = await readySession(server);
    await calls.run(id, 3);
    await followTraining(calls, id);
    const objects = async () => (await Array.fromAsync(server.store.list())).length;
    assert.equal(await objects(), 1 + 2 + 4 + 1);
    await calls.delete(id);
    assert.equal(await objects(), 1);
    assert.equal(await codeOf(owner.public(id)), "token_invalid");
  }));

Deno.test("events tell how far a run is until it ends", () =>
  withServer(async (server) => {
    const { calls, session: { id } } = await readySession(server);
    await calls.run(id);
    const path = `/v1/training-sessions/${id}/events`;
    const text = await (await call(server, path, { token: server.ours.admin })).text();
    const events = text.split("\n\n").filter((event) => event.startsWith("event: session"));
    const last = JSON.parse(events.at(-1)!.split("data: ")[1]);
    assert.deepEqual([last.state, last.step, last.steps], ["trained", 12, 12]);
  }));

Deno.test("runs take turns: one that waits can be paused at once, one that computes after its step", () =>
  withServer(async (server) => {
    const [first, second] = [await readySession(server), await readySession(server)];
    slowTraining(server.backend, 100);
    const { calls } = first;
    await calls.run(first.session.id);
    await calls.run(second.session.id);
    const waiting = await calls.pause(second.session.id);
    assert.deepEqual([waiting.state, waiting.step], ["paused", 0]);
    assert.equal((await calls.get(first.session.id)).state, "running");
    await calls.resume(second.session.id);
    const paused = await calls.pause(first.session.id);
    assert.equal(paused.state, "paused");
    assert.ok(paused.step < 12 && paused.checkpoint_step === paused.step);
    assert.equal(await codeOf(calls.delete(second.session.id)), "session_state");
    assert.equal((await followTraining(calls, second.session.id)).state, "trained");
    assert.equal((await followTraining(calls, (await calls.resume(first.session.id)).id)).state, "trained");
  }));

Deno.test("a run whose keys are gone fails with what to do, and goes on when they are back", () =>
  withServer(async (server) => {
    const { calls, session: { id }, secret } = await readySession(server);
    await calls.run(id, 2);
    await followTraining(calls, id);
    const { keys } = await (await call(server, "/v1/keys", { token: server.ours.admin })).json();
    await call(server, `/v1/keys/${keys[0].id}`, { method: "DELETE", token: server.ours.admin });
    await assert.rejects(calls.resume(id), { code: "key_missing", message: /sotto keys make --capability lookup3/ });
    const body = await serverFile(server.backend, secret, "lookup3") as BodyInit;
    await call(server, "/v1/keys", { method: "POST", token: server.ours.admin, body });
    await calls.resume(id);
    assert.equal((await followTraining(calls, id)).state, "trained");
  }));

Deno.test("a step that fails ends the run with its reason and keeps the steps before", () =>
  withServer(async (server) => {
    const { calls, session: { id } } = await readySession(server, { checkpointEvery: 100 });
    const { training } = server.backend;
    const lookup = training.lookup.bind(training);
    let left = 3;
    training.lookup = (...given) => {
      if (left-- > 0) return lookup(...given);
      return Promise.reject(new SottoError("out_of_memory", "the machine is full: try again later"));
    };
    await calls.run(id);
    await assert.rejects(followTraining(calls, id), { message: /the machine is full/ });
    const failed = await calls.get(id);
    assert.deepEqual([failed.state, failed.step, failed.failure], [
      "failed",
      3,
      "the machine is full: try again later",
    ]);
    left = 100;
    await calls.resume(id);
    assert.equal((await followTraining(calls, id)).state, "trained");
  }));
