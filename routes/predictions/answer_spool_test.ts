import assert from "node:assert/strict";
import fc from "fast-check";
import { AnswerSpool } from "./answer_spool.ts";

Deno.test("what is written comes back in order, from memory or from a file without a name", async () => {
  const folder = await Deno.makeTempDir();
  const sizes = fc.array(fc.uint8Array({ maxLength: 200 }));
  await fc.assert(
    fc.asyncProperty(sizes, fc.nat(400), async (chunks, memoryBytes) => {
      const spool = new AnswerSpool(folder, memoryBytes);
      for (const chunk of chunks) await spool.write(chunk);
      const whole = new Uint8Array(chunks.flatMap((chunk) => [...chunk]));
      assert.equal(spool.bytes, whole.length);
      assert.deepEqual([...Deno.readDirSync(folder)], []);
      assert.deepEqual(await new Response(await spool.readable()).bytes(), whole);
    }),
    { numRuns: 50 },
  );
  await Deno.remove(folder);
});

Deno.test("a spool that is discarded or whose reader leaves frees its file", async () => {
  const folder = await Deno.makeTempDir();
  const discarded = new AnswerSpool(folder, 0);
  await discarded.write(new Uint8Array(10));
  discarded.discard();
  discarded.discard();
  const left = new AnswerSpool(folder, 0);
  await left.write(new Uint8Array(1_000_000));
  await (await left.readable()).cancel();
  await Deno.remove(folder);
});
