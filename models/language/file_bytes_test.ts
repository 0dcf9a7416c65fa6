import assert from "node:assert/strict";
import { FileBytes, readText } from "./file_bytes.ts";
import { assertRejected, withFiles } from "./fixtures.ts";

Deno.test("reads that overlap in time give the bytes of their own places", async () => {
  const content = Uint8Array.from({ length: 200_000 }, (_, index) => index % 251);
  await withFiles({ content }, async (folder) => {
    using file = await FileBytes.open(`${folder}/content`);
    const places = Array.from({ length: 50 }, (_, index) => index * 3_777);
    const parts = await Promise.all(places.map((place) => file.read(place, 10_000)));
    parts.forEach((part, index) => {
      assert.deepEqual(part, content.slice(places[index], places[index] + 10_000));
    });
  });
});

Deno.test("reading beyond the end of a file is refused, and reading goes on afterwards", async () => {
  await withFiles({ content: "abcdef" }, async (folder) => {
    using file = await FileBytes.open(`${folder}/content`);
    await assertRejected("malformed_file", "ends after 6 bytes", () => file.read(4, 3));
    await assertRejected("malformed_file", "ends after 6 bytes", () => file.read(-1, 3));
    assert.equal(new TextDecoder().decode(await file.read(4, 2)), "ef");
  });
});

Deno.test("files that are not there, folders, and texts above their limit are refused", async () => {
  await withFiles({ content: "abcdef" }, async (folder) => {
    await assertRejected("file_unreadable", "cannot be read", () => FileBytes.open(`${folder}/other`));
    await assertRejected("file_unreadable", "is not a file", () => FileBytes.open(folder));
    await assertRejected("malformed_file", "may have 5", () => readText(`${folder}/content`, 5));
    assert.equal(await readText(`${folder}/content`, 6), "abcdef");
  });
});
