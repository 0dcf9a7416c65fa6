/** What holds over several servers of one database. */
import assert from "node:assert/strict";
import { withPostgres } from "../support/postgres.ts";
import { type ServerProcess, startServerProcess } from "../support/server_process.ts";

async function withTwoServers(work: (servers: readonly ServerProcess[]) => Promise<void>): Promise<void> {
  await withPostgres(async (url) => {
    const folders = [await Deno.makeTempDir(), await Deno.makeTempDir()];
    const servers: ServerProcess[] = [];
    try {
      for (const folder of folders) {
        servers.push(await startServerProcess(folder, { DATABASE_URL: url, SOTTO_REQUESTS_PER_MINUTE: "40" }));
      }
      await work(servers);
    } finally {
      for (const server of servers) await server.end("SIGTERM");
      for (const folder of folders) await Deno.remove(folder, { recursive: true });
    }
  });
}

async function ask({ url }: ServerProcess, path: string, token: string, method = "GET", json?: unknown) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const response = await fetch(url + path, {
    method,
    headers,
    body: json === undefined ? undefined : JSON.stringify(json),
  });
  const text = await response.text();
  return { status: response.status, answer: text === "" ? undefined : JSON.parse(text) };
}

Deno.test("a token revoked at one server is refused by the next request at another, and a minute's limit is shared", () =>
  withTwoServers(async ([first, second]) => {
    const { answer: made } = await ask(first, "/v1/tokens", first.token, "POST", { scopes: ["predict"] });
    assert.equal((await ask(second, "/v1/keys", made.token)).status, 200);
    assert.equal((await ask(first, `/v1/tokens/${made.id}`, first.token, "DELETE")).status, 204);
    const refused = await ask(second, "/v1/keys", made.token);
    assert.deepEqual([refused.status, refused.answer.code], [401, "token_invalid"]);

    const asked = [first, second].map(async (server) => {
      const answers = [];
      for (let index = 0; index < 25; index++) answers.push(await ask(server, "/v1/keys", server.token));
      return answers;
    });
    const statuses = (await Promise.all(asked)).flat().map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 200).length, 37);
    assert.equal(statuses.filter((status) => status === 429).length, 13);
  }));
