import assert from "node:assert/strict";
import { join } from "node:path";
import { heldBackend } from "../support/held_backend.ts";
import { until } from "../support/until.ts";
import { FIXTURES, sotto, type TestServer, withServer } from "./support.ts";

const ROWS = join(FIXTURES, "wdbc_rows.csv");

async function prepare(server: TestServer): Promise<string[]> {
  const [secret, evaluation] = [join(server.folder, "secret.key"), join(server.folder, "evaluation.key")];
  const made = await sotto(["keys", "new", "--secret", secret, "--evaluation", evaluation, "--no-passphrase"]);
  assert.equal(made.code, 0, made.err);
  for (
    const args of [
      ["keys", "register", evaluation],
      ["models", "import", join(FIXTURES, "wdbc_xgb50x3.json"), "--name", "cancer"],
    ]
  ) {
    const { code, err } = await server.sotto(args);
    assert.equal(code, 0, err);
  }
  return ["predict", ROWS, "--model", "cancer", "--key", secret];
}

Deno.test("predictions that become jobs on the server print the same", async () => {
  let [asked, waited] = ["", ""];
  await withServer(async (server) => void (asked = (await server.sotto(await prepare(server))).out));
  await withServer(
    async (server) => void (waited = (await server.sotto(await prepare(server))).out),
    { SOTTO_SYNCHRONOUS_SECONDS: "0" },
  );
  assert.equal(waited.trim().split("\n").length, 144);
  assert.equal(waited, asked);
});

Deno.test("an interrupt cancels the job on the server", async () => {
  const held = heldBackend();
  await withServer(
    async (server) => {
      let interrupt = () => {};
      const onInterrupt = (stop: () => void) => {
        interrupt = stop;
        return { [Symbol.dispose]: () => {} };
      };
      const running = server.sotto(await prepare(server), { onInterrupt });
      await until(() => held.waiting() === 1);
      interrupt();
      const { code, out, err } = await running;
      assert.deepEqual([code, out], [1, ""]);
      assert.match(err, /\(cancelled\)/);
      await until(() => held.waiting() === 0);
    },
    { SOTTO_SYNCHRONOUS_SECONDS: "0" },
    held.backend,
  );
});

Deno.test("jobs are listed, shown and cancelled", async () => {
  const held = heldBackend();
  await withServer(
    async (server) => {
      const running = server.sotto(await prepare(server));
      await until(() => held.waiting() === 1);
      const [job] = JSON.parse((await server.sotto(["jobs", "list", "--json"])).out);
      assert.deepEqual([job.kind, job.rows, job.parts.total], ["prediction", 143, 1]);
      assert.match((await server.sotto(["jobs", "list"])).out, /prediction/);
      assert.match((await server.sotto(["jobs", "show", job.id])).out, /state: running\n[^]*parts: 0 of 1\n/);
      const cancelled = await server.sotto(["jobs", "cancel", job.id]);
      assert.equal(cancelled.out, `cancelled ${job.id}\n`, cancelled.err);
      assert.equal((await running).code, 1);
      assert.equal((await server.sotto(["jobs", "cancel", job.id])).out, `forgotten ${job.id}\n`);
      assert.equal((await server.sotto(["jobs", "list"])).out, "none\n");
    },
    { SOTTO_SYNCHRONOUS_SECONDS: "0" },
    held.backend,
  );
});
