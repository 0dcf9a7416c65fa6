import assert from "node:assert/strict";
import { wantsJob } from "./prefer.ts";

Deno.test("respond-async is found among other preferences, whatever its case and parameters", () => {
  for (const prefer of ["respond-async", "Respond-Async", "wait=10, respond-async;x=1", "a=b,respond-async"]) {
    assert.equal(wantsJob(prefer), true, prefer);
  }
  for (const prefer of [undefined, "", "wait=10", "respond-asynchronously", "x=respond-async"]) {
    assert.equal(wantsJob(prefer), false, String(prefer));
  }
});
