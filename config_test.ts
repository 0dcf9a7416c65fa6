import assert from "node:assert/strict";
import { readConfig } from "./config.ts";

Deno.test("an empty environment gives the stated defaults", () => {
  const config = readConfig({});
  assert.equal(config.host, "127.0.0.1");
  assert.equal(config.port, 8080);
  assert.equal(config.dataDir, "./data");
  assert.equal(config.databaseUrl, undefined);
  assert.equal(config.maxModelBytes, 100_000_000);
  assert.ok(Object.isFrozen(config));
});

Deno.test("variables are read, empty ones count as absent", () => {
  const config = readConfig({
    SOTTO_PORT: "0",
    SOTTO_THREADS: "",
    DATABASE_URL: "postgres://u@h/d",
    SOTTO_LOG_LEVEL: "error",
  });
  assert.equal(config.port, 0);
  assert.equal(config.threads, undefined);
  assert.equal(config.databaseUrl, "postgres://u@h/d");
  assert.equal(config.logLevel, "error");
});

Deno.test("every wrong variable is named", () => {
  const wrong = { SOTTO_PORT: "70000", SOTTO_THREADS: "two", DATABASE_URL: "mysql://h", SOTTO_LOG_LEVEL: "loud" };
  assert.throws(() => readConfig(wrong), (error: Error & { code: string }) => {
    assert.equal(error.code, "configuration_invalid");
    for (const name of Object.keys(wrong)) assert.match(error.message, new RegExp(`${name}: `));
    return true;
  });
});
