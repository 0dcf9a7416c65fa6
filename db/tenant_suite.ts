/** Cases of tenants, tokens, limits and the audit log for `database_suite.ts`. */
import assert from "node:assert/strict";
import {
  changeTenant,
  countActiveTokens,
  createTenant,
  createToken,
  type Database,
  deleteTenant,
  exportAudit,
  findOrCreateTenant,
  findTenant,
  findToken,
  forgetTenantLoads,
  insertAudit,
  listAudit,
  listTenants,
  listTokens,
  type NewAuditRow,
  RateCounter,
  readTenantLoads,
  removeAudit,
  removeRateLimits,
  removeTenantLoads,
  reportTenantLoads,
  revokeToken,
  rotateToken,
  type Tenant,
  TokenLookup,
  verifyToken,
} from "./mod.ts";

const HOUR_MS = 3_600_000;

/** Cases by the sentence that they prove. */
export const tenantSuite: Record<string, (database: Database) => Promise<void>> = {
  "a tenant's name is unique and has a form": tenantNames,
  "a tenant's limits are set, and taken back": tenantLimits,
  "tokens of a disabled tenant are refused until it is enabled": tenantDisabled,
  "only a disabled tenant can be deleted, and its tokens end with it": tenantDeleted,
  "a token is verified by its secret and nothing else": tokenVerification,
  "an expired token and a revoked token are refused": tokenEnds,
  "tokens looked up together are found each, and a revocation before the question is seen": tokenLookup,
  "a tenant lists, shows, rotates and revokes its own tokens only": tokenOwners,
  "a rotated token has a successor of its kind and ends after the grace time": tokenRotation,
  "of two rotations at the same time one wins": tokenRotationRace,
  "the last use of a token is noted once a minute": tokenUse,
  "counters of several servers count together and lose nothing": sharedCounters,
  "a server sees what others have inside, until they end or fall silent": sharedLoads,
  "audit rows are listed newest first by page, exported oldest first, and removed by age": auditRows,
};

const makeTenant = (database: Database): Promise<Tenant> => createTenant(database, `tenant ${crypto.randomUUID()}`);
const tenantOf = async (database: Database) => (await makeTenant(database)).id;

async function tenantNames(database: Database): Promise<void> {
  const name = `one ${crypto.randomUUID()}`;
  const { id } = await createTenant(database, name);
  await assert.rejects(createTenant(database, name), { code: "conflict" });
  assert.equal((await findOrCreateTenant(database, name)).id, id);
  assert.equal((await findTenant(database, name)).id, id);
  assert.ok((await listTenants(database)).some((tenant) => tenant.id === id));
  for (const bad of ["", " x", "a\nb", "x".repeat(101)]) {
    await assert.rejects(createTenant(database, bad), { code: "malformed_request" });
  }
}

async function tenantLimits(database: Database): Promise<void> {
  const name = `limited ${crypto.randomUUID()}`;
  const made = await createTenant(database, name, { requestsPerMinute: 5 });
  assert.deepEqual([made.requestsPerMinute, made.bytesMax], [5, null]);
  await changeTenant(database, name, { requestsPerMinute: null, bytesMax: 2 ** 40 });
  const changed = await changeTenant(database, name, {});
  assert.deepEqual([changed.requestsPerMinute, changed.bytesMax], [null, 2 ** 40]);
  await assert.rejects(changeTenant(database, "nobody at all", { bytesMax: 1 }), { code: "tenant_unknown" });
}

async function tenantDisabled(database: Database): Promise<void> {
  const { id, name } = await makeTenant(database);
  const { token } = await createToken(database, { tenant: id, scopes: ["admin"], days: 1 });
  await changeTenant(database, name, { disabledAt: new Date() });
  await assert.rejects(verifyToken(database, token), { code: "tenant_disabled" });
  await changeTenant(database, name, { disabledAt: null });
  assert.equal((await verifyToken(database, token)).tenant.name, name);
}

async function tenantDeleted(database: Database): Promise<void> {
  const { id, name } = await makeTenant(database);
  const { token } = await createToken(database, { tenant: id, scopes: ["admin"], days: 1 });
  await assert.rejects(deleteTenant(database, name), { code: "conflict" });
  await changeTenant(database, name, { disabledAt: new Date() });
  assert.equal((await deleteTenant(database, name)).id, id);
  await assert.rejects(verifyToken(database, token), { code: "token_invalid" });
  await assert.rejects(deleteTenant(database, name), { code: "tenant_unknown" });
}

async function tokenVerification(database: Database): Promise<void> {
  const tenant = await tenantOf(database);
  const { token, id } = await createToken(database, { tenant, scopes: ["predict", "predict"], days: 1 });
  const found = await verifyToken(database, token);
  assert.equal(found.tenantId, tenant);
  assert.deepEqual(found.scopes, ["predict"]);
  assert.equal("hash" in found, false);
  const other = token.slice(0, -1) + (token.endsWith("A") ? "B" : "A");
  for (const wrong of [other, "", id, `sotto_${"0".repeat(16)}_${"A".repeat(43)}`]) {
    await assert.rejects(verifyToken(database, wrong), { code: "token_invalid" });
  }
}

async function tokenEnds(database: Database): Promise<void> {
  const tenant = await tenantOf(database);
  const { token, id } = await createToken(database, { tenant, scopes: ["admin"], days: 1 });
  await assert.rejects(verifyToken(database, token, new Date(Date.now() + 86_400_001)), { code: "token_expired" });
  assert.equal(await countActiveTokens(database, tenant), 1);
  const first = await revokeToken(database, id, tenant);
  assert.ok(first.revokedAt !== null);
  assert.deepEqual(await revokeToken(database, id), first);
  assert.equal(await countActiveTokens(database, tenant), 0);
  await assert.rejects(verifyToken(database, token), { code: "token_invalid", message: /revoked/ });
}

async function tokenLookup(database: Database): Promise<void> {
  const tenant = await tenantOf(database);
  const make = () => createToken(database, { tenant, scopes: ["predict"], days: 1 });
  const made = await Promise.all(Array.from({ length: 5 }, make));
  const lookup = new TokenLookup(database);
  const verify = (token: string) => verifyToken(database, token, new Date(), lookup);
  const found = await Promise.all([...made, ...made].map(({ token }) => verify(token)));
  assert.deepEqual(found.map(({ id }) => id), [...made, ...made].map(({ id }) => id));
  const before = verify(made[0].token).catch(() => undefined);
  await revokeToken(database, made[0].id);
  await before;
  const [first, second] = await Promise.allSettled([verify(made[0].token), verify(made[1].token)]);
  assert.deepEqual([first.status, second.status], ["rejected", "fulfilled"]);
}

async function tokenOwners(database: Database): Promise<void> {
  const [mine, theirs] = [await tenantOf(database), await tenantOf(database)];
  const { id } = await createToken(database, { tenant: theirs, scopes: ["admin"], days: 1 });
  assert.deepEqual(await listTokens(database, mine), []);
  const rotation = { days: 1, graceSeconds: 0, tenant: mine };
  const unknown = { code: "token_unknown" };
  await assert.rejects(findToken(database, id, mine), unknown);
  await assert.rejects(revokeToken(database, id, mine), unknown);
  await assert.rejects(rotateToken(database, id, rotation), unknown);
  assert.equal((await listTokens(database)).some((token) => token.id === id), true);
  assert.equal((await findToken(database, id, theirs)).revokedAt, null);
}

async function tokenRotation(database: Database): Promise<void> {
  const tenant = await tenantOf(database);
  const request = { tenant, name: "ward 7", scopes: ["train"] as const, days: 2, requestsPerMinute: 7 };
  const first = await createToken(database, request);
  const { made, old } = await rotateToken(database, first.id, { days: 90, graceSeconds: 3600 });
  const { name, scopes, requestsPerMinute } = await verifyToken(database, made.token);
  assert.deepEqual({ name, scopes, requestsPerMinute }, { name: "ward 7", scopes: ["train"], requestsPerMinute: 7 });
  assert.equal(old.replacedBy, made.id);
  await verifyToken(database, first.token);
  const afterGrace = new Date(Date.now() + HOUR_MS + 1000);
  const expired = { code: "token_expired", message: new RegExp(`use ${made.id}`) };
  await assert.rejects(verifyToken(database, first.token, afterGrace), expired);
  await verifyToken(database, made.token, afterGrace);
  await assert.rejects(rotateToken(database, first.id, { days: 1, graceSeconds: 1 }), { code: "conflict" });
  await rotateToken(database, made.id, { days: 1, graceSeconds: 0 });
  await assert.rejects(verifyToken(database, made.token), { code: "token_expired" });
}

async function tokenRotationRace(database: Database): Promise<void> {
  const tenant = await tenantOf(database);
  const { id } = await createToken(database, { tenant, scopes: ["predict"], days: 1 });
  const rotate = () => rotateToken(database, id, { days: 1, graceSeconds: 60 });
  const results = await Promise.allSettled([rotate(), rotate()]);
  assert.deepEqual(results.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  assert.equal(await countActiveTokens(database, tenant), 2);
}

async function tokenUse(database: Database): Promise<void> {
  const tenant = await tenantOf(database);
  const { id, token, lastUsedAt } = await createToken(database, { tenant, scopes: ["predict"], days: 1 });
  assert.equal(lastUsedAt, null);
  const start = Date.now();
  const usedAfter = async (ms: number) => {
    await verifyToken(database, token, new Date(start + ms));
    return (await findToken(database, id)).lastUsedAt?.getTime();
  };
  assert.equal(await usedAfter(0), start);
  assert.equal(await usedAfter(59_000), start);
  assert.equal(await usedAfter(61_000), start + 61_000);
}

async function sharedCounters(database: Database): Promise<void> {
  const key = crypto.randomUUID();
  const servers = [new RateCounter(database), new RateCounter(database)];
  const counts = await Promise.all(Array.from({ length: 60 }, (_, index) => servers[index % 2].add(key, 2)));
  const befores = counts.map(({ before }) => before).sort((a, b) => a - b);
  assert.deepEqual(befores, Array.from({ length: 60 }, (_, index) => 2 * index));
  assert.ok(counts.every(({ resetMs }) => resetMs > 0 && resetMs <= 60_000));
  await removeRateLimits(database, new Date());
  assert.equal((await servers[0].add(key, 2 ** 40)).before, 120);
  await removeRateLimits(database, new Date(Date.now() + HOUR_MS));
  assert.equal((await servers[1].add(key, 1)).before, 0);
}

async function sharedLoads(database: Database): Promise<void> {
  const [tenant, other] = [await tenantOf(database), await tenantOf(database)];
  const [here, there] = [crypto.randomUUID(), crypto.randomUUID()];
  const now = new Date();
  const tell = (server: string, requests: number) =>
    reportTenantLoads(database, server, new Map([[tenant, { requests, queued: 1 }]]), now);
  const seen = async (since = new Date(now.getTime() - 1)) =>
    (await readTenantLoads(database, here, [tenant, other], since)).get(tenant);
  await tell(here, 100);
  assert.equal(await seen(), undefined);
  await tell(there, 2);
  await tell(crypto.randomUUID(), 3);
  assert.deepEqual(await seen(), { requests: 5, queued: 2 });
  assert.equal(await seen(now), undefined);
  await tell(there, 0);
  assert.deepEqual(await seen(), { requests: 3, queued: 2 });
  await forgetTenantLoads(database, there);
  assert.deepEqual(await seen(), { requests: 3, queued: 1 });
  await removeTenantLoads(database, new Date(now.getTime() + 1));
  assert.equal(await seen(), undefined);
}

async function auditRows(database: Database): Promise<void> {
  const [tenantId, other] = [await tenantOf(database), await tenantOf(database)];
  const start = Date.parse("2001-01-01T00:00:00Z");
  const row = (index: number, tenant = tenantId): NewAuditRow => ({
    ...{ at: new Date(start + index * HOUR_MS), tenantId: tenant, tokenId: "0123456789abcdef", code: null, ms: 3 },
    ...{ action: `POST ${index}`, subject: null, bytesIn: 2 ** 40, bytesOut: null, status: 200, requestId: "r" },
  });
  await insertAudit(database, []);
  await insertAudit(database, [0, 1, 2, 3, 4].map((index) => row(index)));
  await insertAudit(database, [row(9, other)]);
  const first = await listAudit(database, { tenantId }, { limit: 2 });
  assert.deepEqual(first.map(({ action }) => action), ["POST 4", "POST 3"]);
  const second = await listAudit(database, { tenantId }, { limit: 9, before: first[1].id });
  assert.deepEqual(second.map(({ action }) => action), ["POST 2", "POST 1", "POST 0"]);
  const range = { tenantId, since: new Date(start + HOUR_MS), until: new Date(start + 3 * HOUR_MS) };
  const exported = await Array.fromAsync(exportAudit(database, range));
  assert.deepEqual(exported.map(({ action, bytesIn }) => [action, bytesIn]), [["POST 1", 2 ** 40], [
    "POST 2",
    2 ** 40,
  ]]);
  await removeAudit(database, new Date(start + 4 * HOUR_MS));
  const left = await Array.fromAsync(exportAudit(database, { until: new Date(start + 10 * HOUR_MS) }));
  assert.deepEqual(left.map(({ action }) => action), ["POST 4", "POST 9"]);
}
