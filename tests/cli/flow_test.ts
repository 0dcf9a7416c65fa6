import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { COMMITTED, readCase, readExpected } from "../fixtures/cases.ts";
import { FIXTURES, sotto, type TestServer, withServer } from "./support.ts";

const ROWS = join(FIXTURES, "wdbc_rows.csv");

/** Runs a command that must succeed; returns its standard output. */
async function ok(run: Promise<{ code: number; out: string; err: string }>): Promise<string> {
  const { code, out, err } = await run;
  assert.equal(code, 0, err);
  return out;
}

async function makeKeys(server: TestServer): Promise<{ secret: string; keysId: string }> {
  const [secret, evaluation] = [join(server.folder, "secret.key"), join(server.folder, "evaluation.key")];
  await ok(sotto(["keys", "new", "--secret", secret, "--evaluation", evaluation, "--no-passphrase"]));
  const registered = JSON.parse(await ok(server.sotto(["keys", "register", evaluation, "--json"])));
  return { secret, keysId: registered.id };
}

function compare(csv: string, name: string, tolerance: number): void {
  const rows: string[][] = parse(csv, { from_line: 2 });
  const entry = readCase(COMMITTED, name);
  const expected = readExpected(COMMITTED, entry);
  assert.equal(rows.length, expected.length, name);
  for (const [index, { label, scores }] of expected.entries()) {
    const found = entry.task === "regression" ? rows[index] : rows[index].slice(1);
    if (label !== null) assert.equal(rows[index][0], label, `${name}, row ${index + 1}`);
    for (const [at, score] of scores.entries()) {
      const allowed = tolerance * Math.max(1, Math.abs(score));
      assert.ok(Math.abs(Number(found[at]) - score) <= allowed, `${name}, row ${index + 1}: ${found[at]} for ${score}`);
    }
  }
}

Deno.test("the whole flow: keys, import, encrypt, HTTP, decrypt", async (t) => {
  await withServer(async (server) => {
    const { secret, keysId } = await makeKeys(server);
    const model = JSON.parse(
      await ok(server.sotto(["models", "import", join(FIXTURES, "wdbc_xgb50x3.json"), "--name", "cancer", "--json"])),
    );

    for (
      const name of [
        "wdbc_xgb50x3",
        "wdbc_missing_xgb",
        "iris_lgbm",
        "diabetes_lgbm",
        "diabetes_linear",
        "iris_logistic",
      ]
    ) {
      await t.step(`predict gives what the training library gives for ${name}`, async () => {
        const entry = readCase(COMMITTED, name);
        const file = join(FIXTURES, entry.model);
        const { id } = JSON.parse(await ok(server.sotto(["models", "import", file, "--name", name, "--json"])));
        const out = join(server.folder, `${name}.csv`);
        const rows = join(FIXTURES, entry.rows);
        await ok(server.sotto(["predict", rows, "--model", id, "--key", secret, "--out", out]));
        compare(await Deno.readTextFile(out), name, 1e-3);
      });
    }

    await t.step("rows can be encrypted, sent by any HTTP client, and decrypted", async () => {
      const [saved, rows, answers] = ["model.json", "rows.sotto", "answers.sotto"].map((name) =>
        join(server.folder, name)
      );
      await ok(server.sotto(["models", "show", "cancer", "--out", saved]));
      const key = ["--key", secret, "--description", saved];
      await ok(sotto(["encrypt", ROWS, "--out", rows, ...key]));
      const response = await fetch(`${server.url}/v1/models/${model.id}/predictions?key=${keysId}`, {
        method: "POST",
        headers: { authorization: `Bearer ${server.token}` },
        body: await Deno.readFile(rows),
      });
      assert.equal(response.status, 200);
      await Deno.writeFile(answers, await response.bytes());
      compare(await ok(sotto(["decrypt", answers, ...key])), "wdbc_xgb50x3", 1e-3);
      const json = JSON.parse(await ok(sotto(["decrypt", answers, ...key, "--json"])));
      assert.equal(json.length, 143);
      assert.equal(typeof json[0].scores[0], "number");
    });

    await t.step("a linear model's scales travel in a private file beside the rows", async () => {
      const rows = join(server.folder, "linear.sotto");
      const use = ["--model", "diabetes_linear", "--key", secret];
      const data = join(FIXTURES, "diabetes_rows.csv");
      const made = JSON.parse(await ok(server.sotto(["encrypt", data, "--out", rows, ...use, "--json"])));
      assert.equal(made.scales, `${rows}.scales.json`);
      assert.equal((await Deno.stat(made.scales)).mode! & 0o777, 0o600);
      const response = await fetch(`${server.url}/v1/models/${made.model_id}/predictions`, {
        method: "POST",
        headers: { authorization: `Bearer ${server.token}` },
        body: await Deno.readFile(rows),
      });
      const answers = join(server.folder, "linear-answers.sotto");
      await Deno.writeFile(answers, await response.bytes());
      compare(await ok(server.sotto(["decrypt", answers, ...use, "--scales", made.scales])), "diabetes_linear", 1e-3);
      const without = await server.sotto(["decrypt", answers, ...use]);
      assert.equal(without.code, 1);
      assert.match(without.err, /need the scales.*scales\.json/);
    });

    await t.step("a model can be imported with quantile bins of calibration rows", async () => {
      const file = join(FIXTURES, "wdbc_xgb50x3.json");
      const bins = ["--bins", "quantile", "--n-bits", "4", "--calibration", ROWS, "--name", "coarse"];
      const coarse = JSON.parse(await ok(server.sotto(["models", "import", file, ...bins, "--json"])));
      assert.notEqual(coarse.id, model.id);
      const thresholds = coarse.description.features.map((feature: { thresholds: number[] }) =>
        feature.thresholds.length
      );
      assert.ok(Math.max(...thresholds) <= 15);
      const csv = await ok(server.sotto(["predict", ROWS, "--model", "coarse", "--key", secret]));
      assert.equal(csv.trim().split("\n").length, 144);
    });

    await t.step("a file that was imported before keeps its name, and that is said", async () => {
      const again = await server.sotto(["models", "import", join(FIXTURES, "wdbc_xgb50x3.json"), "--name", "other"]);
      assert.equal(again.code, 0);
      assert.match(again.err, /note: .*already, under the name "cancer"/);
    });

    await t.step("lists and deletions show what is there, as tables and as JSON", async () => {
      assert.match(await ok(server.sotto(["models", "list"])), /cancer.*xgboost/);
      assert.match(await ok(server.sotto(["models", "show", "cancer"])), /leaves, 30 features, binary/);
      assert.equal(JSON.parse(await ok(server.sotto(["keys", "list", "--json"])))[0].id, keysId);
      assert.match(await ok(server.sotto(["keys", "list"])), new RegExp(keysId));
      await ok(server.sotto(["models", "delete", "coarse"]));
      assert.doesNotMatch(await ok(server.sotto(["models", "list"])), /coarse/);
      await ok(server.sotto(["keys", "delete", keysId]));
      assert.equal(await ok(server.sotto(["keys", "list"])), "none\n");
      const unregistered = await server.sotto(["predict", ROWS, "--model", "cancer", "--key", secret]);
      assert.equal(unregistered.code, 1);
      assert.match(unregistered.err, /^error: .*not registered.* \(key_unknown\)\nhint: .*keys register/);
    });

    await t.step("the data folder of a running server is left alone", async () => {
      const held = await sotto(["tokens", "list", "--data", join(server.folder, "data")]);
      assert.equal(held.code, 1);
      assert.match(held.err, /\(data_folder_locked\)\nhint: .*--url/);
    });

    await t.step("tokens are made, listed and revoked through the running server", async () => {
      const made = JSON.parse(
        await ok(server.sotto(["tokens", "create", "--scopes", "predict", "--days", "1", "--json"])),
      );
      const listed = await ok(server.sotto(["tokens", "list"]));
      assert.match(listed, new RegExp(made.id));
      assert.ok(!listed.includes(made.token));
      const weak = ["--url", server.url, "--token", made.token];
      const refused = await sotto(["tokens", "list", ...weak]);
      assert.match(refused.err, /\(scope_missing\)\nhint:/);
      await ok(server.sotto(["tokens", "revoke", made.id]));
      const revoked = await sotto(["keys", "list", ...weak]);
      assert.match(revoked.err, /\(token_invalid\)/);
      assert.ok(!revoked.err.includes(made.token));
    });
  });
});
