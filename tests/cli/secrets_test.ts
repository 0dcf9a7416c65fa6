import assert from "node:assert/strict";
import { join } from "node:path";
import { plainBackend } from "../../circuits/plain.ts";
import { decodeFile } from "../../circuits/wire.ts";
import { isSealed, openSecretKey } from "../../client/mod.ts";
import { sotto, withFolder } from "./support.ts";

const PASSPHRASE = "seven quiet otters";

function paths(folder: string): { secret: string; evaluation: string; args: string[] } {
  const [secret, evaluation] = [join(folder, "s.key"), join(folder, "e.key")];
  return { secret, evaluation, args: ["--secret", secret, "--evaluation", evaluation] };
}

Deno.test("a secret key file can be read by its owner only", async () => {
  await withFolder(async (folder) => {
    const { secret, evaluation, args } = paths(folder);
    const made = await sotto(["keys", "new", "--no-passphrase", ...args]);
    assert.equal(made.code, 0, made.err);
    assert.equal((await Deno.stat(secret)).mode! & 0o777, 0o600);
    assert.equal(isSealed(await Deno.readFile(secret)), false);
    assert.equal(decodeFile(await Deno.readFile(evaluation)).header.kind, "evaluation_keys");
  });
});

Deno.test("a key file is never overwritten without --force", async () => {
  await withFolder(async (folder) => {
    const { secret, args } = paths(folder);
    await sotto(["keys", "new", "--no-passphrase", ...args]);
    const before = await Deno.readFile(secret);
    const again = await sotto(["keys", "new", "--no-passphrase", ...args]);
    assert.equal(again.code, 1);
    assert.match(again.err, /^error: .*s\.key exists already.*--force.*\(conflict\)\n$/);
    assert.deepEqual(await Deno.readFile(secret), before);
    await Deno.chmod(secret, 0o644);
    assert.equal((await sotto(["keys", "new", "--no-passphrase", "--force", ...args])).code, 0);
    assert.notDeepEqual(await Deno.readFile(secret), before);
    assert.equal((await Deno.stat(secret)).mode! & 0o777, 0o600);
  });
});

Deno.test("a symbolic link in the place of the secret key file is not followed", async () => {
  await withFolder(async (folder) => {
    const { secret, args } = paths(folder);
    const target = join(folder, "elsewhere");
    await Deno.symlink(target, secret);
    assert.equal((await sotto(["keys", "new", "--no-passphrase", ...args])).code, 1);
    await assert.rejects(Deno.stat(target));
  });
});

Deno.test("the passphrase comes from the environment, a file or the terminal", async () => {
  const backend = plainBackend();
  await withFolder(async (folder) => {
    const file = join(folder, "passphrase");
    await Deno.writeTextFile(file, PASSPHRASE + "\n", { mode: 0o600 });
    const ways = [
      { args: [], environment: (name: string) => name === "SOTTO_PASSPHRASE" ? PASSPHRASE : undefined },
      { args: ["--passphrase-file", file] },
      { args: [], isTerminal: true, askHidden: () => Promise.resolve(PASSPHRASE) },
    ];
    for (const [index, { args: more, ...replaced }] of ways.entries()) {
      const { secret, args } = paths(await Deno.makeTempDir({ dir: folder, prefix: `${index}` }));
      const { code, out, err } = await sotto(["keys", "new", ...args, ...more], replaced);
      assert.equal(code, 0, err);
      assert.ok(!(out + err).includes(PASSPHRASE));
      const bytes = await Deno.readFile(secret);
      assert.equal(isSealed(bytes), true);
      using opened = await openSecretKey(backend, bytes, PASSPHRASE);
      assert.equal(opened.key.closed, false);
    }
  });
});

Deno.test("two passphrases that differ at the terminal make no key", async () => {
  await withFolder(async (folder) => {
    const { secret, args } = paths(folder);
    const answers = ["one", "two"];
    const askHidden = () => Promise.resolve(answers.shift()!);
    const { code, err } = await sotto(["keys", "new", ...args], { isTerminal: true, askHidden });
    assert.equal(code, 1);
    assert.match(err, /differ.*\(passphrase_wrong\)/);
    await assert.rejects(Deno.stat(secret));
  });
});

Deno.test("without a passphrase a warning says that the key is unsealed", async () => {
  await withFolder(async (folder) => {
    const { code, err } = await sotto(["keys", "new", ...paths(folder).args]);
    assert.equal(code, 0);
    assert.match(err, /^warning: the secret key is written without a passphrase/);
  });
});

Deno.test("a failed command says nothing of token and passphrase", async () => {
  await withFolder(async (folder) => {
    const { secret, args } = paths(folder);
    const environment = (name: string) => ({ SOTTO_PASSPHRASE: PASSPHRASE, SOTTO_DEBUG: "1" })[name];
    await sotto(["keys", "new", ...args], { environment });
    const rows = join(folder, "rows.csv");
    await Deno.writeTextFile(rows, "a\n1\n");
    const token = "sotto_0123456789abcdef_secret-secret-secret";
    const use = ["--model", "m", "--key", secret, "--url", "http://127.0.0.1:1", "--token", token];
    for (const command of [["predict", rows], ["encrypt", rows, "--out", join(folder, "o")]]) {
      const { code, out, err } = await sotto([...command, ...use], { environment });
      assert.equal(code, 1);
      assert.match(err, /\(server_unreachable\)/);
      for (const hidden of [token, PASSPHRASE]) assert.ok(!(out + err).includes(hidden));
    }
  });
});
