/** Clients made from the stored OpenAPI document by well-known generators, each beside a program that uses it. */
import openapiTs, { astToString } from "openapi-typescript";
import { delimiter, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";
import type { KnownThings } from "./known_things.ts";
import { OPENAPI_FILE } from "./openapi_file.ts";
import { pythonTools, runQuietly } from "./python_tools.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const smoke = fileURLToPath(new URL("smoke/", import.meta.url));

/** What a program that uses a client is told. */
export function accessOf({ server, files }: KnownThings): Record<string, string> {
  return { SOTTO_URL: server.url, SOTTO_TOKEN: server.token, SOTTO_FILES: files };
}

/** Types by openapi-typescript, binary bodies as Blob; type-checked and run with openapi-fetch. Returns what the program says. */
export async function runTypescriptClient(folder: string, access: Record<string, string>): Promise<string> {
  const blob = ts.factory.createTypeReferenceNode("Blob");
  const nodes = await openapiTs(pathToFileURL(OPENAPI_FILE), {
    transform: (schema) => schema.format === "binary" ? blob : undefined,
  });
  await Deno.writeTextFile(join(folder, "schema.ts"), astToString(nodes));
  const program = join(folder, "typescript_client.ts");
  await Deno.copyFile(join(smoke, "typescript_client.ts"), program);
  const args = ["run", "-A", "--check", "--quiet", "--config", join(root, "deno.json"), program];
  return await runQuietly(Deno.execPath(), args, { env: access });
}

/** A package by openapi-python-client, whole; a program imports and uses it. Returns what the program says. */
export async function runPythonClient(folder: string, access: Record<string, string>): Promise<string> {
  const bin = await pythonTools();
  const env = { PATH: `${bin}${delimiter}${Deno.env.get("PATH")}` };
  const output = ["--meta", "none", "--output-path", join(folder, "sotto_client"), "--overwrite", "--fail-on-warning"];
  await runQuietly(join(bin, "openapi-python-client"), ["generate", "--path", OPENAPI_FILE, ...output], { env });
  await freeCast(join(folder, "sotto_client", "models"));
  const program = join(smoke, "python_client.py");
  return await runQuietly(join(bin, "python"), [program], { env: { ...access, PYTHONPATH: folder } });
}

/** The generator calls `typing.cast`, and a property of features is named `cast`: the calls name their module instead. */
async function freeCast(models: string): Promise<void> {
  for await (const { name } of Deno.readDir(models)) {
    const path = join(models, name);
    const text = await Deno.readTextFile(path).catch(() => "");
    if (!/^ +cast: /m.test(text)) continue;
    const freed = text.replaceAll(/(?<![.\w])cast\(/g, "typing.cast(");
    await Deno.writeTextFile(path, freed.replace(/^from __future__.*$/m, "$&\n\nimport typing"));
  }
}
