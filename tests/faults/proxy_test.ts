import assert from "node:assert/strict";
import { Proxy } from "./proxy.ts";

Deno.test("a proxy carries bytes both ways, cuts what is open, and carries again when it is mended", async () => {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response("here"));
  const proxy = new Proxy(server.addr.port);
  const client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const ask = async () => await (await fetch(`http://127.0.0.1:${proxy.port}`, { client })).text();
  assert.equal(await ask(), "here");
  proxy.cut();
  await assert.rejects(ask());
  proxy.mend();
  assert.equal(await ask(), "here");
  client.close();
  await proxy[Symbol.asyncDispose]();
  await server.shutdown();
});
