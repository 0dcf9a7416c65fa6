/** Shell blocks of Markdown pages, run as one script. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { freePort } from "./free_port.ts";

/** The folder of the project. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The blocks of a Markdown text that are marked `sh`, in order. */
function shellBlocks(markdown: string): string[] {
  return [...markdown.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1]);
}

/**
 * Runs every block of a page of the project, in order, in one shell that ends at the first failure; `data/` becomes a new folder and each
 * port a free one. `replaced` are further words to replace. `check` sees the folder and everything that was printed.
 */
export async function runPage(
  page: string,
  check: (folder: string, words: string) => Promise<void> = () => Promise.resolve(),
  replaced: Readonly<Record<string, string>> = {},
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sotto-page-" });
  const [port, securePort] = [String(freePort()), String(freePort())];
  const words = { ...replaced, "data/": `${folder}/`, "8080": port, "8443": securePort };
  const blocks = shellBlocks(await Deno.readTextFile(`${ROOT}${page}`)).join("\n");
  const script = Object.entries(words).reduce((text, [word, by]) => text.replaceAll(word, by), blocks);
  try {
    await check(folder, await runScript(script, { SOTTO_DATA_DIR: folder, SOTTO_PORT: port }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** In a session of its own, so that servers in the background end with the script. */
async function runScript(script: string, env: Record<string, string>): Promise<string> {
  const stop = `trap 'status=$?; trap "" TERM; kill -TERM 0; exit $status' EXIT`;
  const command = new Deno.Command("setsid", {
    args: ["--wait", "bash", "-euo", "pipefail", "-c", `${stop}\n${script}`],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await command.output();
  const words = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.ok(success, words);
  return words;
}
