import assert from "node:assert/strict";
import { checkKnownAnswers } from "./known_answers.ts";
import { plainBackend } from "./plain.ts";

Deno.test("the plain back end gives the known answers", async () => {
  using backend = closing(plainBackend());
  await checkKnownAnswers(backend.value);
});

Deno.test("a back end that computes wrongly fails its self-test", async () => {
  using backend = closing(plainBackend());
  const { value } = backend;
  const wrongSums = Object.assign(Object.create(value), {
    applyLayer: async (...args: Parameters<typeof value.applyLayer>) => {
      await value.applyLayer(...args);
      args[3][5] ^= 1;
    },
  });
  await assert.rejects(checkKnownAnswers(wrongSums), { code: "backend_failed", message: /weighted sum/ });
  const wrongProducts = Object.assign(Object.create(value), {
    evaluateLinear: () => Promise.resolve(new Uint8Array(8)),
  });
  await assert.rejects(checkKnownAnswers(wrongProducts), { code: "backend_failed", message: /product/ });
  const unknown = Object.assign(Object.create(value), { parameterSet: "other" });
  await assert.rejects(checkKnownAnswers(unknown), { code: "backend_failed", message: /no known answers/ });
});

function closing<T extends { close(): void }>(value: T): Disposable & { value: T } {
  return { value, [Symbol.dispose]: () => value.close() };
}
