import assert from "node:assert/strict";
import { sotto, withServer } from "./support.ts";

Deno.test("health says of each check of a server that it passes", () =>
  withServer(async ({ url }) => {
    const { code, out, err } = await sotto(["health", "--url", url]);
    assert.equal(code, 0, err);
    assert.match(out, /^database: ok$/m);
    assert.doesNotMatch(out, /failed/);
  }));

Deno.test("health fails where no server answers", async () => {
  const { code, err } = await sotto(["health", "--url", "http://127.0.0.1:1"]);
  assert.equal(code, 1);
  assert.match(err, /no Sotto server answers at http:\/\/127\.0\.0\.1:1/);
});
