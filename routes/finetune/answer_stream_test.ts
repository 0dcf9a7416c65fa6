import assert from "node:assert/strict";
import { Gate } from "../gate.ts";
import { admitStream } from "./answer_stream.ts";

async function* pieces(ended: string[], count = 3) {
  try {
    for (let i = 0; i < count; i++) yield Uint8Array.of(i);
  } finally {
    ended.push("ended");
  }
}

Deno.test("pieces are streamed in order, and the gate is left at the end", async () => {
  const [gate, ended] = [new Gate(1, 0), [] as string[]];
  const stream = await admitStream(gate, "ours", () => pieces(ended));
  await assert.rejects(gate.admit("ours", () => Promise.resolve()), { code: "busy" });
  assert.deepEqual(await new Response(stream).bytes(), Uint8Array.of(0, 1, 2));
  assert.deepEqual(ended, ["ended"]);
  await gate.admit("ours", () => Promise.resolve());
});

Deno.test("a reader that goes away ends the work and leaves the gate", async () => {
  const [gate, ended] = [new Gate(1, 0), [] as string[]];
  let signal: AbortSignal | undefined;
  const stream = await admitStream(gate, "ours", (given) => {
    signal = given;
    return pieces(ended, 1e9);
  });
  await stream.cancel();
  assert.deepEqual([signal?.aborted, ended], [true, ["ended"]]);
  await gate.admit("ours", () => Promise.resolve());
});

Deno.test("an error before the first piece is thrown, a later one breaks the stream; both leave the gate", async () => {
  const gate = new Gate(1, 0);
  const failing = async function* (after: number) {
    for (let i = 0; i < after; i++) yield Uint8Array.of(i);
    await Promise.reject(new Error("broken"));
  };
  await assert.rejects(admitStream(gate, "ours", () => failing(0)), { message: "broken" });
  const stream = await admitStream(gate, "ours", () => failing(1));
  await assert.rejects(new Response(stream).bytes(), { message: "broken" });
  await gate.admit("ours", () => Promise.resolve());
});
