import assert from "node:assert/strict";
import { checkConfig, configMarkdown, readConfig } from "./config.ts";

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

Deno.test("a secret may come from a file, but not from two places", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, "postgres://u:p@h/d\n");
  assert.equal(readConfig({ DATABASE_URL_FILE: file }).databaseUrl, "postgres://u:p@h/d");
  assert.throws(() => readConfig({ DATABASE_URL_FILE: file, DATABASE_URL: "postgres://h/d" }), {
    code: "configuration_invalid",
    message: /DATABASE_URL: give it or DATABASE_URL_FILE, not both/,
  });
  await Deno.remove(file);
  assert.throws(() => readConfig({ DATABASE_URL_FILE: file }), { message: /DATABASE_URL: .*cannot be read/ });
});

Deno.test("a certificate without its key is refused", () => {
  assert.throws(() => readConfig({ SOTTO_TLS_CERT: "cert.pem" }), {
    message: /SOTTO_TLS_CERT: give SOTTO_TLS_KEY too/,
  });
});

Deno.test("a check shows values and sources, and no secret", () => {
  const password = "postgres://sotto:verysecret@h/d";
  const check = checkConfig({ DATABASE_URL: password, SOTTO_METRICS_TOKEN: "short", SOTTO_PORT: "9000" });
  const report = (variable: string) => check.settings.find((setting) => setting.variable === variable);
  assert.deepEqual(report("SOTTO_PORT"), {
    variable: "SOTTO_PORT",
    value: "9000",
    source: "environment",
    problem: undefined,
  });
  assert.equal(report("DATABASE_URL")?.value, "(secret)");
  assert.match(report("SOTTO_METRICS_TOKEN")?.problem ?? "", /at least 16/);
  assert.equal(report("SOTTO_HOST")?.source, "default");
  const text = JSON.stringify(check);
  assert.ok(!text.includes("verysecret") && !text.includes('"short"'), text);
});

Deno.test("a variable that is no setting is reported with the nearest name", () => {
  const known = { SOTTO_URL: "http://h", SOTTO_TEST_STEP_MS: "1", DATABASE_URL_FILE: "x", HOME: "/root" };
  assert.deepEqual(checkConfig(known).unknown, []);
  assert.deepEqual(checkConfig({ SOTTO_TREADS: "2" }).unknown, [
    "there is no setting SOTTO_TREADS: did you mean SOTTO_THREADS?",
  ]);
});

Deno.test("docs/configuration.md is what the settings say", async () => {
  const page = await Deno.readTextFile(new URL("./docs/configuration.md", import.meta.url));
  assert.equal(page, configMarkdown(), "run `sotto config show --markdown > docs/configuration.md`");
});

Deno.test("every setting has its own variable and a description", () => {
  const { settings } = checkConfig({});
  assert.equal(new Set(settings.map(({ variable }) => variable)).size, settings.length);
  for (const { variable, problem } of settings) assert.equal(problem, undefined, variable);
  assert.ok(!/: *$/m.test(configMarkdown()));
});
