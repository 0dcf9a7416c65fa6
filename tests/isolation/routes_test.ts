/** Every operation of the OpenAPI document, called by one tenant with the ids of another. */
import assert from "node:assert/strict";
import { MODELS } from "../server/finetune_support.ts";
import { heldBackend } from "../support/held_backend.ts";
import { call, type TestServer, withServer } from "../support/server.ts";
import { send, unknownIds } from "./answers.ts";
import { nameOf, type Operation, operationsOf } from "./api_document.ts";
import { attemptOf, kindsOf } from "./attempts.ts";
import { type Belongings, HELD_ROWS, type Ids, type Kind, makeBelongings, startHeldJob } from "./belongings.ts";

/** What a data owner's token may call. */
const OF_DATA_OWNERS = /^\w+ \/v1\/training-sessions\/\{id\}\/(public|order|batches\/\{batch\})$/;

interface Two {
  readonly server: TestServer;
  readonly operations: readonly Operation[];
  /** Who is attacked, and who attacks. */
  readonly ours: Belongings;
  /** A job of ours that has not ended. */
  readonly heldJob: string;
  readonly theirs: Belongings;
}

/** Two tenants with everything on one server. */
function withTwo(work: (two: Two) => Promise<void>): Promise<void> {
  const held = heldBackend(HELD_ROWS);
  return withServer(
    async (server) => {
      try {
        const ours = await makeBelongings(server, server.ours, { name: "ours", basePath: "tiny.gguf" });
        const theirs = await makeBelongings(server, server.theirs, { name: "attackers", basePath: "tiny" });
        const heldJob = await startHeldJob(server, ours);
        await work({ server, operations: await operationsOf(server), ours, heldJob, theirs });
      } finally {
        held.release();
      }
    },
    { baseModels: MODELS },
    held.backend,
  );
}

Deno.test("no route tells another tenant's objects from those that do not exist, or changes them", () =>
  withTwo(async (two) => {
    const before = await everythingOf(two, two.ours);
    let attempts = 0;
    for (const operation of deletingLast(two.operations)) {
      for (const token of Object.values(two.theirs.tokens)) attempts += await attack(two, operation, token);
    }
    assert.ok(attempts > 100, `${attempts} attempts`);
    assert.deepEqual(await everythingOf(two, two.ours), before);
    await assertReached(two);
  }));

Deno.test("no list and no open page holds a word of another tenant", () =>
  withTwo(async ({ server, operations, ours, heldJob, theirs }) => {
    const open = ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"].map((path) => ({ method: "GET", path }));
    const lists = operations.filter(({ method, pathParameters }) => method === "GET" && pathParameters.length === 0);
    for (const { path } of [...lists, ...open]) {
      for (const token of [undefined, ...Object.values(theirs.tokens)]) {
        const answer = await call(server, path, { token });
        const text = await answer.text();
        for (const word of [...ours.words, heldJob]) assert.equal(text.includes(word), false, `${path} tells ${word}`);
      }
    }
  }));

Deno.test("the place that another tenant has reached in its list opens nothing of that list", () =>
  withTwo(async ({ server, operations, ours, heldJob, theirs }) => {
    const paged = operations.filter(({ queryParameters }) => queryParameters.includes("cursor"));
    assert.ok(paged.length > 0);
    for (const { path } of paged) {
      const first = await call(server, `${path}?limit=1`, { token: ours.tokens.admin });
      const { next } = await first.json();
      assert.ok(next, path);
      const answer = await call(server, `${path}?cursor=${encodeURIComponent(String(next))}`, {
        token: theirs.tokens.admin,
      });
      assert.equal(answer.status, 200, path);
      const text = await answer.text();
      for (const word of [...ours.words, heldJob]) assert.equal(text.includes(word), false, `${path} tells ${word}`);
    }
  }));

Deno.test("every route below /v1 asks for a token", () =>
  withTwo(async ({ server, operations, ours }) => {
    for (const operation of operations.filter(({ path }) => path.startsWith("/v1/"))) {
      const { path, ...sent } = attemptOf(operation, ours.ids, ours.files);
      const answer = await call(server, path, sent);
      assert.equal(answer.status, 401, nameOf(operation));
      await answer.body?.cancel();
    }
  }));

Deno.test("a data owner's token opens nothing but its own part of its session", () =>
  withTwo(async ({ server, operations, ours }) => {
    const closed = operations.filter((operation) =>
      operation.path.startsWith("/v1/") && !OF_DATA_OWNERS.test(nameOf(operation))
    );
    for (const operation of closed) {
      const { path, ...sent } = attemptOf(operation, ours.ids, ours.files);
      const answer = await call(server, path, { ...sent, token: ours.tokens.dataOwner });
      assert.equal(answer.status, 403, `${nameOf(operation)}: ${await answer.text()}`);
    }
  }));

/** What deletes comes last, parts before their whole, so that everything is tried on objects that are there. */
function deletingLast(operations: readonly Operation[]): Operation[] {
  const deleting = operations.filter(({ method }) => method === "DELETE");
  const partsFirst = deleting.toSorted((a, b) => b.pathParameters.length - a.pathParameters.length);
  return [...operations.filter(({ method }) => method !== "DELETE"), ...partsFirst];
}

/** Names at least one object of the other tenant, beside own ones; each answer must be that for an unknown id. */
async function attack({ server, ours, heldJob, theirs }: Two, operation: Operation, token: string): Promise<number> {
  const targets = [ours.ids, { ...ours.ids, job: heldJob }];
  const kinds = kindsOf(operation, ours.ids, ours.files);
  let attempts = 0;
  for (const target of kinds.includes("job") ? targets : targets.slice(0, 1)) {
    const unknown = unknownIds(target);
    for (const stolen of subsets(kinds)) {
      const tried = await tryWith(stolen, target);
      const expected = await tryWith(stolen, unknown);
      assert.deepEqual(tried, expected, `${nameOf(operation)} naming another tenant's ${stolen.join(" and ")}`);
      assert.ok(tried.status >= 400, `${nameOf(operation)} succeeded: ${tried.status} ${tried.body}`);
      attempts++;
    }
  }
  return attempts;

  function tryWith(stolen: readonly Kind[], from: Ids) {
    const ids = { ...theirs.ids, ...Object.fromEntries(stolen.map((kind) => [kind, from[kind]])) };
    return send(server, token, attemptOf(operation, ids, ours.files), ids);
  }
}

/** Every choice of at least one. */
function subsets(kinds: readonly Kind[]): Kind[][] {
  const all = kinds.reduce<Kind[][]>((made, kind) => [...made, ...made.map((some) => [...some, kind])], [[]]);
  return all.filter(({ length }) => length > 0);
}

/** What grows by being read: event streams, the audit log, and masks, whose bytes count against their session. */
const GROWING = /\/(events|audit|masks\/\{group\})$/;

/** All that the tenant itself can read. */
async function everythingOf({ server, operations }: Two, { ids, files, tokens }: Belongings) {
  const seen: Record<string, unknown> = {};
  for (const operation of operations) {
    if (operation.method !== "GET" || GROWING.test(operation.path)) continue;
    const token = OF_DATA_OWNERS.test(nameOf(operation)) ? tokens.dataOwner : tokens.admin;
    seen[nameOf(operation)] = await send(server, token, attemptOf(operation, ids, files), ids);
  }
  return seen;
}

/** The attempts named the right things: the tenant itself gets past the look-up with them. */
async function assertReached({ server, operations, ours }: Two): Promise<void> {
  const rest = operations.filter(({ path }) => !path.endsWith("/events"));
  for (const operation of deletingLast(rest).filter((one) => kindsOf(one, ours.ids, ours.files).length > 0)) {
    const token = OF_DATA_OWNERS.test(nameOf(operation)) ? ours.tokens.dataOwner : ours.tokens.admin;
    const { status, body } = await send(server, token, attemptOf(operation, ours.ids, ours.files), ours.ids);
    assert.ok(![401, 403, 404].includes(status), `${nameOf(operation)} of its owner: ${status} ${body}`);
  }
}
