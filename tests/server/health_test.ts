import assert from "node:assert/strict";
import { sql } from "drizzle-orm";
import { plainBackend } from "../../circuits/plain.ts";
import { SottoError } from "../../errors.ts";
import { assertProblem } from "../support/problem.ts";
import { call, type TestServer, withServer } from "../support/server.ts";

interface Ready {
  readonly status: string;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail?: string }[];
}

async function readiness(server: TestServer): Promise<{ status: number; body: Ready }> {
  const answer = await call(server, "/readyz");
  assert.equal(answer.headers.get("cache-control"), "no-store");
  return { status: answer.status, body: await answer.json() };
}

/** Waits, since outcomes are remembered for a second, until exactly these checks fail; their details. */
async function failing(server: TestServer, ...names: string[]): Promise<string[]> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const { status, body } = await readiness(server);
    const failed = body.checks.filter(({ ok }) => !ok);
    if (failed.map(({ name }) => name).join() === names.join()) {
      assert.deepEqual([status, body.status], names.length > 0 ? [503, "failed"] : [200, "ok"]);
      return failed.map(({ detail = "" }) => detail);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the failing checks did not become ${names.join()}`);
}

Deno.test("health is answered without a token, readiness names the back end and every check", () =>
  withServer(async (server) => {
    assert.deepEqual(await (await call(server, "/healthz")).json(), { status: "ok" });
    const { status, body } = await readiness(server);
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(body, {
      status: "ok",
      backend: "plain",
      parameter_set: server.backend.parameterSet,
      checks: ["database", "migrations", "store", "kernels", "disk_space", "not_draining"]
        .map((name) => ({ name, ok: true })),
    });
  }));

Deno.test("a server whose store refuses objects is not ready until it takes them again", () =>
  withServer(async (server) => {
    const { check } = server.store;
    server.store.check = () => Promise.reject(new SottoError("store_unavailable", "the folder is full"));
    assert.deepEqual(await failing(server, "store"), ["the folder is full"]);
    server.store.check = () => Promise.reject(new Error("a secret path"));
    for (let said = ""; !said.includes("log");) [said] = await failing(server, "store");
    server.store.check = check;
    await failing(server);
  }));

Deno.test("a server whose database was migrated by a newer version, or is away, is not ready", () =>
  withServer(async (server) => {
    await server.database.queries.execute(
      sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('later', 99999999999999)`,
    );
    const [detail] = await failing(server, "migrations");
    assert.match(detail, /newer than this version/);
    await server.database.close();
    await failing(server, "database", "migrations");
  }));

Deno.test("a server whose kernels compute wrongly is not ready", () => {
  const backend = plainBackend();
  backend.evaluateLinear = () => Promise.resolve(new Uint8Array(8));
  return withServer(
    async (server) => {
      const [detail] = await failing(server, "kernels");
      assert.match(detail, /self-test/);
    },
    {},
    backend,
  );
});

Deno.test("a server whose disk is nearly full is not ready", () =>
  withServer(async (server) => {
    const [detail] = await failing(server, "disk_space");
    assert.match(detail, /bytes are free/);
  }, { diskFreeBytes: Number.MAX_SAFE_INTEGER }));

Deno.test("a server that is stopping lives, but is not ready and takes no work", () =>
  withServer(async (server) => {
    await server.app.drain(0);
    const [detail] = await failing(server, "not_draining");
    assert.match(detail, /stopping/);
    assert.equal((await call(server, "/healthz")).status, 200);
    await assertProblem(await call(server, "/v1/keys", { token: server.ours.admin }), "busy");
  }));
