import assert from "node:assert/strict";
import { join } from "node:path";
import { sotto, withFolder } from "./support.ts";

const COMMANDS = [
  [],
  ["serve"],
  ["tenants", "create"],
  ["tenants", "list"],
  ["tenants", "show"],
  ["tenants", "set"],
  ["tenants", "disable"],
  ["tenants", "enable"],
  ["tenants", "delete"],
  ["tokens", "create"],
  ["tokens", "list"],
  ["tokens", "show"],
  ["tokens", "rotate"],
  ["tokens", "revoke"],
  ["audit", "export"],
  ["keys", "new"],
  ["keys", "make"],
  ["keys", "register"],
  ["keys", "list"],
  ["keys", "delete"],
  ["models", "import"],
  ["models", "list"],
  ["models", "show"],
  ["models", "delete"],
  ["encrypt"],
  ["decrypt"],
  ["predict"],
];

Deno.test("every command has a help with examples", async () => {
  for (const command of COMMANDS) {
    const { code, out } = await sotto([...command, "--help"]);
    assert.equal(code, 0, command.join(" "));
    assert.match(out, /Usage: sotto/);
    assert.match(out, /Examples:\n {2}\$ /);
  }
});

Deno.test("wrong usage exits with 2 and says what is wrong", async () => {
  const wrong: [string[], RegExp][] = [
    [["fly"], /unknown command 'fly'/],
    [["keys", "list", "--nope"], /unknown option '--nope'/],
    [["keys", "register"], /missing required argument 'files'/],
    [["keys", "make", "--key", "k"], /required option '--capability/],
    [["keys", "new", "--capability", "lookup4"], /Allowed choices are pack, lookup1, lookup2, lookup3/],
    [["encrypt", "rows.csv", "--out", "o"], /required option '--key <file>'/],
    [["models", "import", "m", "--format", "pickle"], /Allowed choices are xgboost, lightgbm, onnx/],
    [["models", "import", "m", "--n-bits", "17"], /whole number from 1 to 16/],
    [["tokens", "create", "--days", "soon"], /whole number from 1 to 3650/],
    [["tokens", "create", "--scopes", "root"], /use predict, train, admin or several/],
    [["serve", "--port", "http"], /whole number from 0 to 65535/],
  ];
  for (const [args, message] of wrong) {
    const { code, out, err } = await sotto(args);
    assert.equal(code, 2, `${args.join(" ")}: ${err}`);
    assert.equal(out, "");
    assert.match(err, message);
  }
});

Deno.test("a failure is one line with its code, a hint, and exit code 1", async () => {
  const { code, out, err } = await sotto(["keys", "list"]);
  assert.equal(code, 1);
  assert.equal(out, "");
  assert.match(err, /^error: an access token is needed.* \(token_missing\)\nhint: .*sotto tokens create.*\n$/);
});

Deno.test("serve refuses a back end that encrypts nothing", async () => {
  await withFolder(async (folder) => {
    const { code, err } = await sotto(["serve", "--port", "0", "--data", folder]);
    assert.equal(code, 1);
    assert.match(err, /does not protect anything.*\(insecure_parameter_set\)/);
  });
});

Deno.test("files that cannot be read are named", async () => {
  await withFolder(async (folder) => {
    const missing = join(folder, "none.key");
    const { code, err } = await sotto(["keys", "register", missing, "--token", "t"]);
    assert.equal(code, 1);
    assert.equal(err, `error: cannot read ${missing}: there is no such file or folder (file_unreadable)\n`);
  });
});

Deno.test("a saved model description is checked", async () => {
  await withFolder(async (folder) => {
    const saved = join(folder, "model.json");
    await Deno.writeTextFile(saved, "{}");
    const { code, err } = await sotto(["encrypt", "r.csv", "--out", "o", "--key", "k", "--description", saved]);
    assert.equal(code, 1);
    assert.match(err, /is not a saved model.*\(malformed_file\)/);
  });
});

Deno.test("tokens are made, listed and revoked in the data folder while no server runs", async () => {
  await withFolder(async (folder) => {
    const data = ["--data", join(folder, "data")];
    const made = await sotto(["tokens", "create", "--tenant", "clinic", "--scopes", "predict", ...data]);
    assert.match(made.out, /^sotto_[0-9a-f]{16}_\S+\n$/);
    const id = made.out.split("_")[1];
    assert.match(made.err, new RegExp(`^token ${id}, scopes predict, 90 days`));
    const [listed] = JSON.parse((await sotto(["tokens", "list", "--json", ...data])).out);
    assert.deepEqual([listed.id, listed.tenant, listed.scopes], [id, "clinic", ["predict"]]);
    assert.equal((await sotto(["tokens", "revoke", id, ...data])).out, `revoked ${id}\n`);
    assert.match((await sotto(["tokens", "list", ...data])).out, new RegExp(id));
    const unknown = await sotto(["tokens", "revoke", "0".repeat(16), ...data]);
    assert.match(unknown.err, /there is no token 0{16}/);
  });
});
