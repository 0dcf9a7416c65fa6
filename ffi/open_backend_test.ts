import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { isSottoError } from "../errors.ts";
import { CUDA_LIBRARY, DEFAULT_LIBRARY, openBackend } from "./mod.ts";

function nameOf(options: Parameters<typeof openBackend>[0]): { name: string; note?: string } {
  const backend = openBackend({ threads: 1, ...options });
  backend.close();
  return { name: backend.name, note: backend.note };
}

Deno.test("cpu is the fastest of this processor, a name is that one, and neither needs a note", () => {
  assert.match(nameOf({ backend: "cpu" }).name, /^cpu\//);
  assert.deepEqual(nameOf({ backend: "ref" }), { name: "ref", note: undefined });
  assert.equal(nameOf({ backend: "cpu" }).note, undefined);
});

Deno.test("auto falls back to the processor and says why", () => {
  const { name, note } = nameOf({ library: DEFAULT_LIBRARY });
  assert.match(name, /^cpu\//);
  assert.match(note ?? "", /^no GPU is used: .*built without CUDA/);
});

Deno.test("cuda is refused where the library has none", () => {
  const code = (expected: string, words: RegExp) => (error: unknown) =>
    isSottoError(error) && error.code === expected && words.test(error.message);
  assert.throws(
    () => openBackend({ backend: "cuda", library: DEFAULT_LIBRARY }),
    code("configuration_invalid", /built without CUDA/),
  );
  if (existsSync(CUDA_LIBRARY)) return;
  assert.throws(() => openBackend({ backend: "cuda" }), code("library_missing", /task build:cuda/));
});
