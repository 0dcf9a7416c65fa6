import assert from "node:assert/strict";
import { decodeCheckpoint, simulateTraining } from "../../circuits/training/mod.ts";
import { decryptIntegers } from "../../circuits/training/decode.ts";
import { orderDigest } from "../../routes/training/order.ts";
import {
  batchFile,
  followTraining,
  openPublicKey,
  sendBatches,
  type TrainingCalls,
  type TrainingPublic,
} from "../../client/mod.ts";
import { decodeTrainingFile } from "../../circuits/training_file.ts";
import { CURRENT } from "../../params/mod.ts";
import { call, type TestServer, withServer } from "../support/server.ts";
import { callsOf, codeOf, giveKeys, makeData, makeSecret, readySession, SPEC } from "./training_support.ts";

const centred = (x: bigint) => Number(x > CURRENT.modulus / 2n ? x - CURRENT.modulus : x);
const data = makeData(14);

/** Weights as integers. */
async function integersOf(
  server: TestServer,
  calls: TrainingCalls,
  id: string,
  secret: Parameters<typeof giveKeys>[3],
) {
  const { parameterSet } = server.backend;
  const { payload } = decodeTrainingFile(await calls.weights(id), { kind: "training_weights", parameterSet });
  const { first } = await decryptIntegers(server.backend, secret.key, SPEC, decodeCheckpoint(SPEC, payload));
  return first.map((row) => [...row]);
}

/** Encrypts with the public key, as every owner but the session's does. */
function encryptor(server: TestServer, { public_key, key_id }: TrainingPublic) {
  return { publicKey: openPublicKey(server.backend, Uint8Array.fromBase64(public_key!), key_id) };
}

/** A session with two owners of columns and one of labels. */
async function splitSession(server: TestServer) {
  const calls = callsOf(server, server.ours.admin);
  const secret = await makeSecret(server, server.ours.admin);
  const { id } = await calls.create({ name: "split", spec: SPEC, batchCount: 4 });
  await giveKeys(calls, server.backend, id, secret);
  const add = async (owner: Parameters<TrainingCalls["addOwner"]>[1]) =>
    callsOf(server, (await calls.addOwner(id, owner)).token);
  const bank = await add({ name: "bank", kind: "columns", columns: ["a", "c"], bias: true });
  const shop = await add({ name: "shop", kind: "columns", columns: ["b"] });
  const office = await add({ name: "office", kind: "labels" });
  return { calls, secret, id, bank, shop, office };
}

Deno.test("owners of columns and labels who confirmed one row order train what a single owner trains", () =>
  withServer(async (server) => {
    const { calls, secret, id, bank, shop, office } = await splitSession(server);
    await calls.publishOrder(id, data.ids);
    for (const owner of [bank, shop, office]) {
      const shared = await owner.public(id);
      await owner.confirmOrder(id, orderDigest((await owner.order(id)).ids));
      const own = {
        rows: shared.owner.kind === "labels" ? [] : data.rows,
        targets: shared.owner.kind === "columns" ? [] : data.targets,
      };
      await sendBatches(owner, server.backend, encryptor(server, shared), shared, own);
    }
    await calls.run(id);
    assert.equal((await followTraining(calls, id)).state, "trained");
    const { state } = simulateTraining(SPEC, data, { noise: false });
    assert.deepEqual(await integersOf(server, calls, id, secret), state.first.map((row) => Array.from(row, centred)));
  }));

Deno.test("a row order that another owner does not have is refused, and runs wait for every confirmation", () =>
  withServer(async (server) => {
    const { calls, id, bank, shop, office } = await splitSession(server);
    assert.equal(await codeOf(bank.order(id)), "conflict");
    assert.equal(await codeOf(calls.publishOrder(id, [...data.ids.slice(1), data.ids[1]])), "malformed_request");
    await calls.publishOrder(id, data.ids);
    const shuffled = [...data.ids].reverse();
    assert.equal(await codeOf(shop.confirmOrder(id, orderDigest(shuffled))), "conflict");
    await bank.confirmOrder(id, orderDigest(data.ids));
    await office.confirmOrder(id, orderDigest(data.ids));
    await assert.rejects(calls.run(id), { code: "conflict", message: /shop has not confirmed the row order/ });
    await calls.publishOrder(id, shuffled);
    await assert.rejects(calls.run(id), { code: "conflict", message: /bank has not confirmed the row order/ });
    const taken = calls.addOwner(id, { name: "thief", kind: "columns", columns: ["b"] });
    await assert.rejects(taken, { code: "conflict", message: /shop brings the column b already/ });
    assert.equal(await codeOf(calls.addOwner(id, { name: "more", kind: "labels" })), "conflict");
  }));

Deno.test("owners of rows fill their own batches and no others", () =>
  withServer(async (server) => {
    const calls = callsOf(server, server.ours.admin);
    const secret = await makeSecret(server, server.ours.admin);
    const { id } = await calls.create({ name: "rows", spec: SPEC, batchCount: 4 });
    await giveKeys(calls, server.backend, id, secret);
    const owners: TrainingCalls[] = [];
    for (const [i, name] of ["north", "south"].entries()) {
      const { token } = await calls.addOwner(id, { name, kind: "rows", batches: { first: 2 * i, count: 2 } });
      owners.push(callsOf(server, token));
    }
    const [north, south] = owners;
    const shared = await north.public(id);
    const target = { sessionId: id, spec: SPEC, keyId: shared.key_id! };
    const own = { owner: shared.owner, data };
    const file = await batchFile(server.backend, encryptor(server, shared), target, own, {
      number: 2,
      members: [0, 1],
    });
    assert.equal(await codeOf(north.putBatch(id, 2, file)), "conflict");
    assert.equal(await codeOf(north.putBatch(id, 1, file)), "malformed_file");
    assert.equal(await codeOf(south.putBatch(id, 2, file)), "none");
    assert.deepEqual((await calls.get(id)).owners.map(({ uploaded_batches }) => uploaded_batches), [0, 1]);
  }));

Deno.test("the token of a data owner reaches nothing but its own part of its session", () =>
  withServer(async (server) => {
    const { calls, session, owner: token } = await readySession(server);
    const { id } = session;
    const other = await readySession(server);
    for (
      const refused of [
        () => token.get(id),
        () => token.list(),
        () => token.weights(id),
        () => token.run(id),
        () => token.pause(id),
        () => token.delete(id),
        () => token.addOwner(id, { name: "mine", kind: "rows" }),
        () => token.create({ name: "mine", spec: SPEC, batchCount: 1 }),
        () => token.publishOrder(id, data.ids),
      ]
    ) assert.equal(await codeOf(refused()), "scope_missing");
    assert.equal(await codeOf(token.public(other.session.id)), "session_unknown");
    assert.equal(await codeOf(token.order(other.session.id)), "session_unknown");
    assert.equal(await codeOf(token.putBatch(other.session.id, 0, new Uint8Array(1))), "session_unknown");
    assert.equal(await codeOf(calls.public(id)), "scope_missing");
    await calls.removeOwner(id, session.owners[0].id);
    assert.equal(await codeOf(token.public(id)), "token_invalid");
    assert.equal((await calls.get(id)).owners.length, 0);
  }));

Deno.test("a revoked owner is locked out while its uploads stay once training has begun", () =>
  withServer(async (server) => {
    const { calls, session, owner } = await readySession(server);
    await calls.run(session.id, 2);
    await followTraining(calls, session.id);
    await calls.removeOwner(session.id, session.owners[0].id);
    assert.equal(await codeOf(owner.public(session.id)), "token_invalid");
    await calls.run(session.id, 2);
    assert.equal((await followTraining(calls, session.id)).step, 4);
  }));

Deno.test("another tenant sees no session, and data owners' tokens open nothing but training", () =>
  withServer(async (server) => {
    const { session: { id }, calls } = await readySession(server);
    const theirs = callsOf(server, server.theirs.admin);
    for (
      const refused of [theirs.get(id), theirs.weights(id), theirs.run(id), theirs.delete(id), theirs.pause(id)]
    ) assert.equal(await codeOf(refused), "session_unknown");
    assert.deepEqual(await theirs.list(), []);
    assert.equal(await codeOf(callsOf(server, server.ours.predict).list()), "scope_missing");
    const { token } = await callsOf(server, server.theirs.admin).addOwner(
      (await theirs.create({ name: "own", spec: SPEC, batchCount: 1 })).id,
      { name: "one", kind: "rows" },
    );
    for (const path of ["/v1/keys", "/v1/models", "/v1/tokens"]) {
      assert.equal((await call(server, path, { token })).status, 403);
    }
    assert.equal(await codeOf(callsOf(server, token).public(id)), "session_unknown");
    assert.equal((await calls.get(id)).state, "preparing");
  }));

Deno.test("a batch that was encrypted for another key pair is refused", () =>
  withServer(async (server) => {
    const { session, owner } = await readySession(server);
    const stranger = await makeSecret(server, server.theirs.admin);
    const shared = await owner.public(session.id);
    const target = { sessionId: session.id, spec: SPEC, keyId: stranger.keyId.toHex() };
    const own = { owner: shared.owner, data };
    const file = await batchFile(server.backend, { secretKey: stranger.key }, target, own, { number: 0, members: [0] });
    assert.equal(await codeOf(owner.putBatch(session.id, 0, file)), "wrong_key");
  }));
