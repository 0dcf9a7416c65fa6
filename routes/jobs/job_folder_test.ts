import assert from "node:assert/strict";
import { join } from "node:path";
import { JobFolder } from "./job_folder.ts";

async function withFolder(work: (folder: JobFolder, path: string) => Promise<void>, capacity = 100): Promise<void> {
  const path = await Deno.makeTempDir();
  try {
    await work(new JobFolder(join(path, "jobs"), capacity), join(path, "jobs"));
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

const BUSY = { code: "busy", message: /disk/ };

Deno.test("what is written comes back whole, as often as it is asked for", () =>
  withFolder(async (folder, path) => {
    await folder.write("a", "rows", async (sink) => {
      await sink.write(new Uint8Array([1, 2]));
      await sink.write(new Uint8Array([3]));
    });
    for (let time = 0; time < 2; time++) {
      const { stream, bytes } = await folder.read("a", "rows");
      assert.equal(bytes, 3);
      assert.deepEqual(await new Response(stream).bytes(), new Uint8Array([1, 2, 3]));
    }
    assert.equal(Deno.statSync(join(path, "a.rows")).mode! & 0o777, 0o600);
    await folder.drop("a", "rows");
    await folder.drop("a", "rows");
    await assert.rejects(folder.read("a", "rows"));
  }));

Deno.test("space is promised up to the capacity and comes back file by file", () =>
  withFolder(async (folder) => {
    folder.promise("a", { rows: 40, answers: 20 });
    folder.promise("b", { rows: 30, answers: 10 });
    assert.throws(() => folder.promise("c", { rows: 1, answers: 0 }), BUSY);
    await folder.drop("a", "rows");
    folder.promise("c", { rows: 40, answers: 0 });
    assert.throws(() => folder.promise("d", { rows: 1, answers: 0 }), BUSY);
    await folder.drop("a", "answers");
    folder.promise("d", { rows: 10, answers: 10 });
  }));
