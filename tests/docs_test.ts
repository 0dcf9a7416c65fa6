import assert from "node:assert/strict";
import { withPostgres } from "./support/postgres.ts";
import { ROOT, runPage } from "./support/shell_script.ts";

Deno.test("every command of the quick start runs", () =>
  runPage("docs/quick_start.md", async (folder) => {
    const predictions = (await Deno.readTextFile(`${folder}/predictions.csv`)).trim().split("\n");
    assert.equal(
      predictions.length,
      (await Deno.readTextFile(`${ROOT}tests/fixtures/wdbc_rows.csv`)).trim().split("\n").length,
    );
  }));

Deno.test("every command of the API guide runs", () => runPage("docs/api.md"));

Deno.test("every command of the security guide runs", () => runPage("docs/security.md"));

Deno.test("every command of the operating guide runs, with a real PostgreSQL", () =>
  withPostgres((url) => runPage("docs/operating.md", undefined, { "postgres://sotto@127.0.0.1:5432/sotto": url })));

Deno.test("every page of the documentation is in its index, with blocks that are run or that are no commands", async () => {
  const index = await Deno.readTextFile(`${ROOT}docs/README.md`);
  const run = ["quick_start.md", "api.md", "security.md", "operating.md"];
  for await (const { name } of Deno.readDir(`${ROOT}docs`)) {
    assert.ok(
      name === "README.md" || index.includes(`](${name})`) || name === "operations",
      `${name} is not in the index`,
    );
    if (!name.endsWith(".md") || run.includes(name)) continue;
    assert.doesNotMatch(await Deno.readTextFile(`${ROOT}docs/${name}`), /^```(sh|bash|console)$/m, name);
  }
});
