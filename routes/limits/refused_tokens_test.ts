import assert from "node:assert/strict";
import { SottoError } from "../../errors.ts";
import { RefusedTokens } from "./refused_tokens.ts";

async function withRefusedTokens(perMinute: number, work: (refused: RefusedTokens) => Promise<void>): Promise<void> {
  const refused = new RefusedTokens(perMinute);
  try {
    await work(refused);
  } finally {
    await refused.close();
  }
}

const wrong = () => Promise.reject(new SottoError("token_invalid", "no"));
const good = () => Promise.resolve("caller");

Deno.test("an address that guesses is refused before its tokens are looked at, others are not", () =>
  withRefusedTokens(3, async (refused) => {
    for (let index = 0; index < 3; index++) {
      await assert.rejects(refused.guard("10.0.0.1", `guess ${index}`, wrong), { code: "token_invalid" });
    }
    let asked = 0;
    const counted = () => Promise.resolve(++asked);
    await assert.rejects(refused.guard("10.0.0.1", "right at last", counted), (error: SottoError) => {
      return error.code === "rate_limited" && error.retryAfter! >= 1 && error.retryAfter! <= 60;
    });
    await assert.rejects(refused.guard("10.0.0.1", undefined, counted), { code: "rate_limited" });
    assert.equal(asked, 0);
    assert.equal(await refused.guard("10.0.0.2", "right", counted), 1);
  }));

Deno.test("a token that was good lately passes from an address that is refused, until it is good no more", () =>
  withRefusedTokens(2, async (refused) => {
    assert.equal(await refused.guard("10.0.0.1", "ours", good), "caller");
    for (let index = 0; index < 2; index++) await assert.rejects(refused.guard("10.0.0.1", "guess", wrong));
    assert.equal(await refused.guard("10.0.0.1", "ours", good), "caller");
    await assert.rejects(refused.guard("10.0.0.1", "ours", wrong), { code: "token_invalid" });
    await assert.rejects(refused.guard("10.0.0.1", "ours", good), { code: "rate_limited" });
  }));

Deno.test("failures of the server are not held against the address", () =>
  withRefusedTokens(1, async (refused) => {
    const away = () => Promise.reject(new SottoError("database_unavailable", "no"));
    for (let index = 0; index < 3; index++) {
      await assert.rejects(refused.guard("10.0.0.1", "ours", away), { code: "database_unavailable" });
    }
  }));
