import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const SOTTO = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

async function sotto(args: string[], env: Record<string, string>) {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", SOTTO, ...args],
    env: { DATABASE_URL: "", ...env },
    stdout: "piped",
    stderr: "piped",
  });
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

Deno.test("config check shows values with their sources, masks secrets and succeeds when all is well", async () => {
  const secret = "postgres://sotto:verysecret@db/sotto";
  const { code, out, err } = await sotto(["config", "check"], { DATABASE_URL: secret, SOTTO_THREADS: "3" });
  assert.equal(code, 0, err);
  assert.match(out, /SOTTO_THREADS\s*│\s*3\s*│\s*environment/);
  assert.match(out, /DATABASE_URL\s*│\s*\(secret\)\s*│\s*environment/);
  assert.equal((out + err).includes("verysecret"), false);
});

Deno.test("config check fails naming every problem, unknown variables and files that cannot serve", async () => {
  const wrong = await sotto(["config", "check", "--json"], { SOTTO_PORT: "80800", SOTTO_TREADS: "2" });
  assert.equal(wrong.code, 1);
  const { problems } = JSON.parse(wrong.out);
  assert.equal(problems.length, 2);
  assert.match(problems[0], /^SOTTO_PORT: /);
  assert.match(problems[1], /SOTTO_TREADS.*SOTTO_THREADS/);
  const files = await sotto(["config", "check"], { SOTTO_TLS_CERT: "/none.crt", SOTTO_TLS_KEY: "/none.key" });
  assert.equal(files.code, 1);
  assert.match(files.err, /SOTTO_TLS_CERT: \/none\.crt/);
});

Deno.test("config show --markdown is the page of the documentation", async () => {
  const { out } = await sotto(["config", "show", "--markdown"], {});
  assert.equal(out, await Deno.readTextFile(new URL("../../docs/configuration.md", import.meta.url)));
});
