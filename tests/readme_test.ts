import assert from "node:assert/strict";
import { ROOT as root, runPage } from "./support/shell_script.ts";

Deno.test("every command of the README runs, in its order, and ends with equal predictions", () =>
  runPage("README.md", async (folder, words) => {
    const predictions = (await Deno.readTextFile(`${folder}/predictions.csv`)).trim().split("\n");
    const rows = (await Deno.readTextFile(`${root}tests/fixtures/wdbc_rows.csv`)).trim().split("\n");
    assert.equal(predictions.length, rows.length);
    assert.doesNotMatch(words, /sotto-secret|BEGIN/);
  }));

Deno.test("the README's table of commands and the tasks of deno.json are the same", async () => {
  const readme = await Deno.readTextFile(`${root}README.md`);
  const listed = [...readme.matchAll(/^\| `npx -y deno@2\.9\.6 task ([\w:]+)`/gm)].map((match) => match[1]).sort();
  const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  assert.deepEqual(listed, Object.keys(tasks).sort());
});

Deno.test("every file that the Markdown documents link to is there", async () => {
  const pages = [...Deno.readDirSync(`${root}docs`)].map(({ name }) => `docs/${name}`).filter((name) =>
    name.endsWith(".md")
  );
  const others = ["README.md", "ARCHITECTURE.md", "SECURITY.md", "CHANGELOG.md", "bench/README.md", "models/README.md"];
  for (const file of [...others, ...pages]) {
    const text = await Deno.readTextFile(`${root}${file}`);
    for (const [, link] of text.matchAll(/\]\(([^)#:]+)\)/g)) {
      const path = new URL(link, new URL(file, new URL("..", import.meta.url)));
      assert.ok(await Deno.stat(path), `${file} links to ${link}`);
    }
  }
});
