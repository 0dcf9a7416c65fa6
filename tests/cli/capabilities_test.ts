import assert from "node:assert/strict";
import { join } from "node:path";
import { capabilityOf, decodeFile } from "../../circuits/wire.ts";
import { sotto, withFolder, withServer } from "./support.ts";

/** Runs a command that must succeed; returns its standard output. */
async function ok(run: Promise<{ code: number; out: string; err: string }>): Promise<string> {
  const { code, out, err } = await run;
  assert.equal(code, 0, err);
  return out;
}

const headerOf = async (path: string) => decodeFile(await Deno.readFile(path)).header;

Deno.test("a new key pair has the files that were asked for, named alike", async () => {
  await withFolder(async (folder) => {
    const [secret, evaluation] = [join(folder, "a.secret.key"), join(folder, "a.evaluation.key")];
    const names = ["--secret", secret, "--evaluation", evaluation, "--no-passphrase"];
    const wanted = ["--capability", "lookup1", "--capability", "pack", "--capability", "lookup1"];
    const [made] = JSON.parse(await ok(sotto(["keys", "new", ...names, ...wanted, "--json"])));
    assert.deepEqual(made.files.map(({ file }: { file: string }) => file), [join(folder, "a.lookup1.key"), evaluation]);
    assert.equal(made.evaluation, evaluation);
    for (const { file, capability, bytes } of made.files) {
      const header = await headerOf(file);
      assert.equal(capabilityOf(header), capability);
      assert.equal(header.keyId.toHex(), made.key_id);
      assert.equal((await Deno.stat(file)).size, bytes);
    }
  });
});

Deno.test("further files are made from an existing secret key, sealed or not", async () => {
  await withFolder(async (folder) => {
    const secret = join(folder, "sotto-secret.key");
    const environment = (name: string) => name === "SOTTO_PASSPHRASE" ? "blue whale" : undefined;
    const evaluation = join(folder, "sotto-evaluation.key");
    await ok(sotto(["keys", "new", "--secret", secret, "--evaluation", evaluation], { environment }));
    const out = await ok(sotto(["keys", "make", "--capability", "lookup1", "--key", secret], { environment }));
    const lookup = join(folder, "sotto-lookup1.key");
    assert.match(out, /register: .*sotto-lookup1\.key \(\d+ bytes\)/);
    assert.deepEqual((await headerOf(lookup)).keyId, (await headerOf(evaluation)).keyId);
    const again = await sotto(["keys", "make", "--capability", "lookup1", "--key", secret], { environment });
    assert.match(again.err, /exists already.*\(conflict\)/);
    const named = join(folder, "named.key");
    await ok(sotto(["keys", "make", "--capability", "pack", "--key", secret, "--out", named], { environment }));
    assert.equal(capabilityOf(await headerOf(named)), "pack");
    const two = ["--capability", "pack", "--capability", "lookup1", "--out", join(folder, "two")];
    const refused = await sotto(["keys", "make", "--key", secret, ...two], { environment });
    assert.match(refused.err, /--out names one file/);
    const locked = await sotto(["keys", "make", "--capability", "pack", "--key", secret, "--out", join(folder, "x")]);
    assert.match(locked.err, /\(passphrase_needed\)/);
  });
});

Deno.test("several files are registered at once, and lists show what they are for", async () => {
  await withServer(async (server) => {
    const [secret, evaluation] = [join(server.folder, "s.key"), join(server.folder, "e.key")];
    const names = ["--secret", secret, "--evaluation", evaluation, "--no-passphrase"];
    await ok(sotto(["keys", "new", ...names, "--capability", "pack", "--capability", "lookup1"]));
    const files = [evaluation, join(server.folder, "e.lookup1.key")];
    const registered = JSON.parse(await ok(server.sotto(["keys", "register", ...files, "--json"])));
    assert.deepEqual(registered.map(({ capability }: { capability: string }) => capability), ["pack", "lookup1"]);
    assert.match(
      await ok(server.sotto(["keys", "register", files[1]])),
      /^registered .*\n {2}lookup1 keys of key pair/,
    );
    assert.match(await ok(server.sotto(["keys", "list"])), /pack[\s\S]*lookup1/);
  });
});

Deno.test("a pair without the keys that a model needs is told which are missing before anything is sent", async () => {
  await withServer(async (server) => {
    const [secret, evaluation] = [join(server.folder, "s.key"), join(server.folder, "e.key")];
    const names = ["--secret", secret, "--evaluation", evaluation, "--no-passphrase"];
    await ok(sotto(["keys", "new", ...names, "--capability", "lookup1"]));
    await ok(server.sotto(["keys", "register", join(server.folder, "e.lookup1.key")]));
    const model = new URL("../fixtures/wdbc_xgb50x3.json", import.meta.url).pathname;
    const rows = new URL("../fixtures/wdbc_rows.csv", import.meta.url).pathname;
    await ok(server.sotto(["models", "import", model, "--name", "cancer"]));
    assert.match(await ok(server.sotto(["models", "show", "cancer"])), /keys: +pack\n/);
    const { code, err } = await server.sotto(["predict", rows, "--model", "cancer", "--key", secret]);
    assert.equal(code, 1);
    assert.match(err, /needs pack keys.*sotto keys make --capability pack.*\(key_missing\)\nhint: /);
  });
});
