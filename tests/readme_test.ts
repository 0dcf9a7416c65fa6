import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The shell blocks of a Markdown file, in order. */
function shellBlocks(markdown: string): string[] {
  return [...markdown.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1]);
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

Deno.test("every command of the README runs, in its order, and ends with equal predictions", async () => {
  const folder = await Deno.makeTempDir({ prefix: "sotto-readme-" });
  const port = String(freePort());
  const readme = await Deno.readTextFile(`${root}README.md`);
  const script = shellBlocks(readme).join("\n").replaceAll("data/", `${folder}/`).replaceAll("8080", port);
  // A session of its own, so that the server in the background ends with the script.
  const stop = `trap 'status=$?; trap "" TERM; kill -TERM 0; exit $status' EXIT`;
  const command = new Deno.Command("setsid", {
    args: ["--wait", "bash", "-euo", "pipefail", "-c", `${stop}\n${script}`],
    cwd: root,
    env: { SOTTO_DATA_DIR: folder, SOTTO_PORT: port, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await command.output();
  const words = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.ok(success, words);
  const predictions = (await Deno.readTextFile(`${folder}/predictions.csv`)).trim().split("\n");
  const rows = (await Deno.readTextFile(`${root}tests/fixtures/wdbc_rows.csv`)).trim().split("\n");
  assert.equal(predictions.length, rows.length);
  assert.doesNotMatch(words, /sotto-secret|BEGIN/);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("the README's table of commands and the tasks of deno.json are the same", async () => {
  const readme = await Deno.readTextFile(`${root}README.md`);
  const listed = [...readme.matchAll(/^\| `npx -y deno@2\.9\.6 task (\w+)`/gm)].map((match) => match[1]).sort();
  const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  assert.deepEqual(listed, Object.keys(tasks).sort());
});

Deno.test("every file that the Markdown documents link to is there", async () => {
  for (
    const file of ["README.md", "ARCHITECTURE.md", "SECURITY.md", "CHANGELOG.md", "bench/README.md", "models/README.md"]
  ) {
    const text = await Deno.readTextFile(`${root}${file}`);
    for (const [, link] of text.matchAll(/\]\(([^)#:]+)\)/g)) {
      const path = new URL(link, new URL(file, new URL("..", import.meta.url)));
      assert.ok(await Deno.stat(path), `${file} links to ${link}`);
    }
  }
});
