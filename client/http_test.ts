import assert from "node:assert/strict";
import { SottoError } from "../errors.ts";
import { SottoClient } from "./http.ts";

const TOKEN = "sotto-token-that-must-not-show";

async function withServer(handler: Deno.ServeHandler, test: (client: SottoClient, url: string) => Promise<void>) {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, handler);
  const url = `http://127.0.0.1:${server.addr.port}`;
  try {
    await test(new SottoClient(url, TOKEN), url);
  } finally {
    await server.shutdown();
  }
}

function failure(call: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  return assert.rejects(call, (error) => {
    assert.ok(error instanceof SottoError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.ok(!Deno.inspect(error).includes(TOKEN));
    return true;
  });
}

function problem(code: string, status: number, detail: string): Response {
  return Response.json({ type: "about:blank", title: code, status, detail, code, request_id: "r1" }, { status });
}

Deno.test("a problem becomes a SottoError with the server's code and detail", async () => {
  await withServer(() => problem("wrong_key", 409, "made with other keys"), async (client) => {
    await failure(
      client.predict({ model: "m", keys: "k", file: new Uint8Array(3) }),
      "wrong_key",
      /made with other keys/,
    );
  });
});

Deno.test("an internal error names the request", async () => {
  await withServer(() => problem("internal", 500, "something failed"), async (client) => {
    await failure(client.listModels(), "internal", /request r1/);
  });
});

Deno.test("an answer that is not from Sotto is told apart", async () => {
  await withServer(() => new Response("<html>", { status: 502 }), async (client) => {
    await failure(client.listKeys(), "server_unreachable", /status 502 and is not from a Sotto server/);
  });
  await withServer(() => Response.json({ keys: [{ id: 7 }] }), async (client) => {
    await failure(client.listKeys(), "internal", /GET \/v1\/keys is not as expected \(keys\.0\.id/);
  });
});

Deno.test("no server gives server_unreachable with the address", async () => {
  let url = "";
  await withServer(() => new Response(), (_, address) => Promise.resolve(void (url = address)));
  await failure(
    new SottoClient(url, TOKEN).listModels(),
    "server_unreachable",
    /no answer from http:\/\/127\.0\.0\.1:/,
  );
});

Deno.test("an aborted call is cancelled", async () => {
  await withServer(() => new Response(), async (client) => {
    const signal = AbortSignal.abort();
    await failure(client.predict({ model: "m", file: new Uint8Array(1), signal }), "cancelled", /cancelled/);
  });
});

Deno.test("an address that is no URL is refused, and the client does not print its token", () => {
  assert.throws(() => new SottoClient("localhost", TOKEN), /not a server address/);
  assert.ok(!Deno.inspect(new SottoClient("http://h", TOKEN), { showHidden: true }).includes(TOKEN));
});

Deno.test("a prediction sends bearer token, key and bytes, and reads the server's time", async () => {
  const handler = async (incoming: Request): Promise<Response> => {
    const url = new URL(incoming.url);
    assert.equal(incoming.headers.get("authorization"), `Bearer ${TOKEN}`);
    assert.equal(url.pathname + url.search, "/v1/models/ab%2Fc/predictions?key=k1");
    return new Response(await incoming.bytes(), { headers: { "sotto-server-ms": "1.5" } });
  };
  await withServer(handler, async (client) => {
    const sent = crypto.getRandomValues(new Uint8Array(60_000));
    const { file, serverMs } = await client.predict({ model: "ab/c", keys: "k1", file: new Blob([sent]) });
    assert.deepEqual(file, sent);
    assert.equal(serverMs, 1.5);
    const streamed = await client.predict({ model: "ab/c", keys: "k1", file: new Blob([sent]).stream() });
    assert.deepEqual(streamed.file, sent);
  });
});

Deno.test("a model with quantile bins is sent as a form with its edges", async () => {
  const handler = async (incoming: Request): Promise<Response> => {
    const url = new URL(incoming.url);
    assert.equal(url.search, "?name=n&format=onnx&bins=quantile&n_bits=3");
    const form = await incoming.formData();
    assert.deepEqual(await (form.get("model") as File).bytes(), new Uint8Array([9, 8]));
    assert.deepEqual(JSON.parse(await (form.get("edges") as File).text()), [[1, 2]]);
    return problem("model_refused", 422, "no trees");
  };
  await withServer(handler, async (client) => {
    const bins = { bitCount: 3, edges: [[1, 2]] };
    const call = client.importModel({ name: "n", format: "onnx", file: new Uint8Array([9, 8]), bins });
    await failure(call, "model_refused", /no trees/);
  });
});

Deno.test("calibration rows of a network travel in the form beside the model", async () => {
  const handler = async (incoming: Request): Promise<Response> => {
    assert.equal(new URL(incoming.url).search, "?name=n&format=onnx&bins=model");
    const form = await incoming.formData();
    assert.equal(form.get("edges"), null);
    assert.equal(await (form.get("calibration") as File).text(), "f0\n1\n");
    return problem("model_refused", 422, "no network");
  };
  await withServer(handler, async (client) => {
    const call = client.importModel({ name: "n", format: "onnx", file: new Uint8Array([9]), calibration: "f0\n1\n" });
    await failure(call, "model_refused", /no network/);
  });
});

Deno.test("a prediction that becomes a job is followed to its answers, and the job deleted", async () => {
  const seen: string[] = [];
  let asked = 0;
  const job = (state: string, progress: number) => ({
    ...{ id: "j1", model_id: "m", rows: 1, state, progress, estimated_seconds_left: 1 },
    ...{ created_at: "c", started_at: null, finished_at: null },
  });
  const handler = async (incoming: Request): Promise<Response> => {
    const { pathname } = new URL(incoming.url);
    seen.push(`${incoming.method} ${pathname} ${incoming.headers.get("prefer") ?? ""}`.trim());
    await incoming.body?.cancel();
    if (incoming.method === "POST") return Response.json(job("queued", 0), { status: 202 });
    if (incoming.method === "DELETE") return new Response(null, { status: 204 });
    if (pathname.endsWith("/answers")) return new Response("yes", { headers: { "sotto-server-ms": "7" } });
    return Response.json(asked++ === 0 ? job("running", 0.5) : job("succeeded", 1));
  };
  await withServer(handler, async (client) => {
    const shares: number[] = [];
    const onProgress = (share: number) => shares.push(share);
    const answers = await client.predict({ model: "m", file: new Uint8Array(3), asJob: true, onProgress });
    assert.equal(new TextDecoder().decode(answers.file), "yes");
    assert.equal(answers.serverMs, 7);
    assert.deepEqual(shares, [0.5, 1]);
    assert.deepEqual(seen, [
      "POST /v1/models/m/predictions respond-async",
      "GET /v1/jobs/j1",
      "GET /v1/jobs/j1",
      "GET /v1/jobs/j1/answers",
      "DELETE /v1/jobs/j1",
    ]);
  });
});
