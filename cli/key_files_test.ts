import assert from "node:assert/strict";
import { collectCapability, keyFileBeside } from "./key_files.ts";

Deno.test("key files of one pair are named alike", () => {
  assert.equal(keyFileBeside("sotto-secret.key", "lookup2"), "sotto-lookup2.key");
  assert.equal(keyFileBeside("keys/alice.evaluation.key", "lookup1"), "keys/alice.lookup1.key");
  assert.equal(keyFileBeside("secret/alice.key", "lookup3"), "secret/alice.lookup3.key");
  assert.equal(keyFileBeside("sotto-secret.key", "pack"), "sotto-evaluation.key");
  assert.equal(keyFileBeside("alice", "pack"), "alice.evaluation.key");
});

Deno.test("capabilities are collected once each, others refused", () => {
  assert.deepEqual(collectCapability("pack", ["lookup1", "pack"]), ["lookup1", "pack"]);
  assert.deepEqual(collectCapability("lookup2", undefined), ["lookup2"]);
  assert.throws(() => collectCapability("lookup", undefined), /Allowed choices/);
});
