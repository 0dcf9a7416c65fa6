import assert from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { join } from "node:path";
import { findTenant, insertAudit, openDatabase, verifyToken } from "../../db/mod.ts";
import { until } from "../support/until.ts";
import { sotto, withFolder, withServer } from "./support.ts";

const ok = async (args: readonly string[]) => {
  const { code, out, err } = await sotto(args);
  assert.equal(code, 0, err);
  return out;
};

Deno.test("tenants are made, limited, disabled, enabled and deleted in the data folder, and the audit log says so", () =>
  withFolder(async (folder) => {
    const data = ["--data", join(folder, "data")];
    const tenants = async (...args: string[]) => JSON.parse(await ok(["tenants", ...args, "--json", ...data]));
    const made = await tenants("create", "clinic", "--requests-per-minute", "60", "--bytes-max", "1000000");
    assert.deepEqual([made.requests_per_minute, made.bytes_max, made.queued_requests], [60, 1_000_000, null]);
    const changed = await tenants("set", "clinic", "--requests-per-minute", "default", "--queued-requests", "5");
    assert.deepEqual([changed.requests_per_minute, changed.bytes_max, changed.queued_requests], [null, 1_000_000, 5]);
    assert.match((await sotto(["tenants", "create", "clinic", ...data])).err, /exists already.*\(conflict\)/);
    await ok(["tokens", "create", "--tenant", "clinic", ...data]);
    assert.equal((await tenants("show", "clinic")).active_tokens, 1);
    assert.match((await sotto(["tenants", "delete", "clinic", ...data])).err, /not disabled.*\(conflict\)/);
    assert.notEqual((await tenants("disable", "clinic")).disabled_at, null);
    assert.equal((await tenants("enable", "clinic")).disabled_at, null);
    await tenants("disable", "clinic");
    assert.deepEqual(await tenants("delete", "clinic"), { deleted: made.id });
    assert.match((await sotto(["tenants", "show", "clinic", ...data])).err, /no tenant clinic.*\(tenant_unknown\)/);
    assert.deepEqual(await tenants("list"), []);

    const lines = (await ok(["audit", "export", "--tenant", made.id, ...data])).trimEnd().split("\n");
    const actions = lines.map((line) => JSON.parse(line).action);
    const words = ["create", "set", "disable", "enable", "disable", "delete"].map((word) => `sotto tenants ${word}`);
    assert.deepEqual(actions, words.toSpliced(2, 0, "sotto tokens create"));
  }));

Deno.test("tokens are shown and rotated in the data folder", () =>
  withFolder(async (folder) => {
    const data = ["--data", join(folder, "data")];
    const make = ["tokens", "create", "--name", "ward 7", "--scopes", "predict", "--requests-per-minute", "9"];
    const first = JSON.parse(await ok([...make, "--json", ...data]));
    const shown = await ok(["tokens", "show", first.id, ...data]);
    assert.match(shown, /name: ward 7\nscopes: predict\n(.*\n)*requests per minute: 9\n/);
    const { out, err } = await sotto(["tokens", "rotate", first.id, "--grace", "0", ...data]);
    assert.match(err, new RegExp(`${first.id} ends at `));
    const again = await sotto(["tokens", "rotate", first.id, ...data]);
    assert.match(again.err, /was rotated before or has ended.*\(conflict\)/);
    const database = await openDatabase({ dataDir: join(folder, "data") });
    try {
      await assert.rejects(verifyToken(database, first.token), { code: "token_expired" });
      assert.equal((await verifyToken(database, out.trim())).name, "ward 7");
    } finally {
      await database.close();
    }
  }));

Deno.test("the audit log is exported as CSV, by time and tenant, and cells never begin like formulas", () =>
  withFolder(async (folder) => {
    const data = ["--data", join(folder, "data")];
    await ok(["tenants", "create", "clinic", ...data]);
    const database = await openDatabase({ dataDir: join(folder, "data") });
    try {
      const { id } = await findTenant(database, "clinic");
      const rows = Array.from({ length: 2500 }, (_, index) => ({
        ...{ at: new Date(Date.UTC(2020, 0, 1, 0, 0, index)), tenantId: id, tokenId: null, action: `=${index}` },
        ...{ subject: null, bytesIn: 1, bytesOut: null, status: 200, code: null, requestId: "r", ms: 0 },
      }));
      await insertAudit(database, rows);
    } finally {
      await database.close();
    }
    const range = ["--since", "2020-01-01T00:00:10Z", "--until", "2020-02-01"];
    const csv = await ok(["audit", "export", "--format", "csv", "--tenant", "clinic", ...range, ...data]);
    const records = parse(csv, { columns: true }) as Record<string, string>[];
    assert.equal(records.length, 2490);
    assert.deepEqual([records[0].action, records[2489].action], ["'=10", "'=2499"]);
    assert.deepEqual([records[0].tenant, records[0].at], ["clinic", "2020-01-01T00:00:10.000Z"]);
    assert.match((await sotto(["audit", "export", "--tenant", "x", ...data])).err, /no tenant x.*\(tenant_unknown\)/);
    assert.match((await sotto(["audit", "export", "--since", "soon", ...data])).err, /Write a date or a time/);
  }));

Deno.test("through the server an admin rotates tokens and reads the audit log of the own tenant", () =>
  withServer(async ({ sotto }) => {
    const made = JSON.parse((await sotto(["tokens", "create", "--scopes", "predict", "--json"])).out);
    const rotated = JSON.parse((await sotto(["tokens", "rotate", made.id, "--grace", "60", "--json"])).out);
    assert.equal(rotated.old.id, made.id);
    assert.match((await sotto(["tokens", "show", made.id])).out, new RegExp(`replaced by: ${rotated.id}`));
    assert.equal((await sotto(["tokens", "revoke", made.id])).code, 0);
    const actions = async () => {
      const { out } = await sotto(["audit", "export"]);
      return out.trimEnd().split("\n").map((line) => (JSON.parse(line) as { action: string }).action);
    };
    const all = ["DELETE /v1/tokens/{id}", "POST /v1/tokens/{id}/rotation", "POST /v1/tokens"];
    await until(async () => (await actions()).includes(all[0]));
    assert.deepEqual((await actions()).slice(0, 3), all);
  }));
