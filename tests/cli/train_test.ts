import assert from "node:assert/strict";
import { join } from "node:path";
import { importModel } from "../../models/mod.ts";
import { sotto, type TestServer, withServer } from "./support.ts";

/** Runs a command that must succeed; returns its standard output. */
async function ok(run: Promise<{ code: number; out: string; err: string }>): Promise<string> {
  const { code, out, err } = await run;
  assert.equal(code, 0, err);
  return out;
}

/** A table whose label is yes where a is above b. */
function tableOf(count: number): string {
  const lines = Array.from({ length: count }, (_, i) => {
    const [a, b] = [0, 1].map((f) => Math.round(100 * Math.sin(7 * i + 3 * f + 1)) / 10);
    return `patient-${i},${a},${b},${a > b ? "yes" : "no"}`;
  });
  return ["patient,a,b,label", ...lines].join("\n") + "\n";
}

/** The columns of a table by name, its rows in another order. */
function columnsOf(table: string, names: readonly string[]): string {
  const [header, ...lines] = table.trim().split("\n").map((line) => line.split(","));
  const pick = (cells: string[]) => names.map((name) => cells[header.indexOf(name)]).join(",");
  return [names.join(","), ...lines.reverse().map(pick)].join("\n") + "\n";
}

/** A secret key file whose lookup keys the server has. */
async function registerKeys(server: TestServer): Promise<string> {
  const [secret, evaluation] = [join(server.folder, "secret.key"), join(server.folder, "evaluation.key")];
  const files = ["--secret", secret, "--evaluation", evaluation, "--no-passphrase"];
  await ok(sotto(["keys", "new", "--capability", "lookup3", ...files]));
  await ok(server.sotto(["keys", "register", join(server.folder, "lookup3.key")]));
  return secret;
}

async function prepare(server: TestServer) {
  const file = async (name: string, content: string) => {
    await Deno.writeTextFile(join(server.folder, name), content);
    return join(server.folder, name);
  };
  const table = tableOf(32);
  const rows = await file("rows.csv", table);
  const spec = join(server.folder, "spec.json");
  const options = ["--label", "label", "--id", "patient", "--batch-size", "4", "--steps", "16", "--seed", "3"];
  await ok(sotto(["train", "spec", rows, ...options, "--out", spec]));
  return { file, table, rows, spec };
}

Deno.test("the whole training: specification, session, upload, run with measured loss and plots, model, predictions", () =>
  withServer(async (server) => {
    const { rows, spec, file, table } = await prepare(server);
    const secret = await registerKeys(server);
    const id = (await ok(server.sotto(["train", "new", spec, "--name", "toy", "--rows", "32"]))).trim();
    await ok(server.sotto(["train", "keys", id, "--key", secret]));
    const token = (await ok(server.sotto(["train", "owner", id, "clinic"]))).trim();
    const access = ["--url", server.url, "--token", token];
    assert.match(await ok(sotto(["train", "upload", id, rows, "--label", "label", ...access])), /sent 8 batches/);
    const plots = join(server.folder, "plots");
    await Deno.mkdir(plots);
    const validate = ["--validate", rows, "--label", "label", "--key", secret, "--plots", plots];
    const run = JSON.parse(await ok(server.sotto(["train", "run", id, ...validate, "--json"])));
    assert.deepEqual([run.state, run.step], ["trained", 16]);
    const last = run.points.at(-1);
    assert.equal(last.step, 16);
    assert.ok(last.loss < 0.55 && last.quality >= 0.9, JSON.stringify(last));
    for (const name of ["loss.svg", "quality.svg"]) {
      assert.match(await Deno.readTextFile(join(plots, name)), /<polyline/);
    }
    const onnx = join(server.folder, "toy.onnx");
    await ok(server.sotto(["train", "model", id, "--key", secret, "--out", onnx]));
    assert.equal(importModel("onnx", await Deno.readFile(onnx), { bins: { kind: "model" } }).output.task, "binary");
    await ok(server.sotto(["train", "finish", id]));
    const asked = await file("asked.csv", columnsOf(table, ["a", "b"]));
    const predicted = (await ok(server.sotto(["train", "predict", id, asked, "--key", secret]))).trim().split("\n");
    assert.equal(predicted[0], "label,probability_yes");
    const expected = table.trim().split("\n").slice(1).map((line) => line.split(",")[3]).reverse();
    const right = predicted.slice(1).filter((line, i) => line.split(",")[0] === expected[i]);
    assert.ok(right.length >= 0.9 * expected.length);
    await ok(server.sotto(["train", "delete", id]));
    assert.equal(JSON.parse(await ok(server.sotto(["train", "list", "--json"]))).length, 0);
  }));

Deno.test("owners of columns and labels sort their files into the published order", () =>
  withServer(async (server) => {
    const { rows, spec, file, table } = await prepare(server);
    const secret = await registerKeys(server);
    const id = (await ok(server.sotto(["train", "new", spec, "--name", "split", "--rows", "32"]))).trim();
    await ok(server.sotto(["train", "keys", id, "--key", secret]));
    await ok(server.sotto(["train", "order", id, rows, "--id", "patient"]));
    const owners = [
      {
        name: "bank",
        columns: ["patient", "a"],
        options: ["--kind", "columns", "--columns", "a", "--bias"],
        label: [],
      },
      { name: "shop", columns: ["b", "patient"], options: ["--kind", "columns", "--columns", "b"], label: [] },
      { name: "office", columns: ["patient", "label"], options: ["--kind", "labels"], label: ["--label", "label"] },
    ];
    for (const { name, columns, options, label } of owners) {
      const token = (await ok(server.sotto(["train", "owner", id, name, ...options]))).trim();
      const path = await file(`${name}.csv`, columnsOf(table, columns));
      const access = ["--url", server.url, "--token", token];
      const unsorted = await sotto(["train", "upload", id, path, ...label, ...access]);
      assert.match(unsorted.err, /names its column of row ids with --id/);
      await ok(sotto(["train", "upload", id, path, "--id", "patient", ...label, ...access]));
    }
    const validate = ["--validate", rows, "--label", "label", "--key", secret];
    const run = JSON.parse(await ok(server.sotto(["train", "run", id, ...validate, "--json"])));
    assert.ok(run.state === "trained" && run.points.at(-1).quality >= 0.9);
  }));

Deno.test("a training can be run in slices and goes on when it is told to", () =>
  withServer(async (server) => {
    const { rows, spec } = await prepare(server);
    const secret = await registerKeys(server);
    const id = (await ok(server.sotto(["train", "new", spec, "--name", "slow", "--rows", "32"]))).trim();
    await ok(server.sotto(["train", "keys", id, "--key", secret]));
    const token = (await ok(server.sotto(["train", "owner", id, "clinic"]))).trim();
    await ok(
      sotto(["train", "upload", id, rows, "--label", "label", "--key", secret, "--url", server.url, "--token", token]),
    );
    assert.match(await ok(server.sotto(["train", "run", id, "--steps", "4"])), /paused after step 4 of 16/);
    assert.match(await ok(server.sotto(["train", "run", id, "--resume"])), /trained after step 16 of 16/);
    const again = await server.sotto(["train", "run", id]);
    assert.equal(again.code, 1);
    assert.match(again.err, /the session is trained: run is not possible now/);
  }));
