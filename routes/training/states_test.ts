import assert from "node:assert/strict";
import { TRAINING_STATES } from "../../db/mod.ts";
import { allowedIn, requireAllowed } from "./states.ts";

Deno.test("every state allows what the table says and nothing else", () => {
  assert.deepEqual(Object.fromEntries(TRAINING_STATES.map((state) => [state, allowedIn(state)])), {
    preparing: ["prepare", "run", "put_weights", "delete"],
    running: ["pause"],
    paused: ["run", "resume", "put_weights", "finish", "delete"],
    interrupted: ["pause", "resume", "delete"],
    failed: ["resume", "delete"],
    trained: ["put_weights", "finish", "delete"],
    finished: ["predict", "delete"],
  });
});

Deno.test("a refused action names the state and what it allows", () => {
  requireAllowed("paused", "put_weights");
  const message = "the session is finished: put weights is not possible now, allowed are: predict, delete";
  assert.throws(() => requireAllowed("finished", "put_weights"), { code: "session_state", message });
});
