import assert from "node:assert/strict";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { ERROR_STATUS } from "../../errors.ts";
import { call, withServer } from "../support/server.ts";
import { OPENAPI_FILE, readDocument } from "./openapi_file.ts";

interface Body {
  readonly schema?: unknown;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: { readonly code?: string } }>>;
}
interface Answer {
  readonly description: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, Body>>;
}
interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly unknown[];
  readonly parameters?: readonly { readonly name: string; readonly example?: unknown; readonly schema: Parameter }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Body>> };
  readonly responses: Readonly<Record<string, Answer>>;
}
interface Parameter {
  readonly example?: unknown;
  readonly examples?: unknown;
  readonly enum?: unknown;
  readonly default?: unknown;
}

/** A file cannot be written into a document: its layout is in docs/files.md. */
const FILES = ["application/octet-stream", "multipart/form-data"];

async function operations(): Promise<{ name: string; operation: Operation }[]> {
  const document = JSON.parse(await readDocument());
  return Object.entries(document.paths as Record<string, Record<string, Operation>>).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation }))
  );
}

Deno.test("the OpenAPI document passes a linter, and every example in it fits its schema", async () => {
  const rules = { "operation-4xx-response": "off", "operation-operationId": "error", "info-contact": "off" } as const;
  const config = await createConfig({ extends: ["recommended"], rules });
  const problems = await lintFromString({ source: await readDocument(), absoluteRef: "/openapi.json", config });
  assert.deepEqual(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]), []);
});

Deno.test("every operation has an id of its own, a summary, a description, a group and examples of all it takes and gives", async () => {
  const all = await operations();
  assert.equal(new Set(all.map(({ operation }) => operation.operationId)).size, all.length);
  for (const { name, operation } of all) {
    for (const word of ["operationId", "summary", "description"] as const) {
      assert.ok(operation[word], `${name}: ${word}`);
    }
    assert.equal(operation.tags?.length, 1, name);
    for (const { name: parameter, example, schema } of operation.parameters ?? []) {
      const shown = example ?? schema.example ?? schema.examples ?? schema.enum ?? schema.default;
      assert.notEqual(shown, undefined, `${name}: the parameter ${parameter} has no example`);
    }
    const bodies = [operation.requestBody, ...Object.values(operation.responses)].map((body) => body?.content ?? {});
    for (const [type, body] of bodies.flatMap(Object.entries<Body>)) {
      assert.ok(
        FILES.includes(type) || (body.example ?? body.examples) !== undefined,
        `${name}: ${type} has no example`,
      );
    }
  }
});

Deno.test("every error answer is a problem with one example a code, under the status of that code", async () => {
  for (const { name, operation } of await operations()) {
    for (const [status, { description, headers, content }] of Object.entries(operation.responses)) {
      assert.ok(headers?.["x-request-id"], name);
      const problem = content?.["application/problem+json"];
      if (problem === undefined) continue;
      const codes = Object.entries(problem.examples ?? {});
      assert.deepEqual(codes.map(([code]) => code), description.split(", "));
      for (const [code, { value }] of codes) {
        assert.equal(value.code, code);
        assert.equal(ERROR_STATUS[code as keyof typeof ERROR_STATUS], Number(status), `${name}: ${code}`);
      }
      if (status === "401") assert.ok(headers["www-authenticate"], name);
      if (status === "429" || status === "503") assert.ok(headers["retry-after"], name);
    }
    if (operation.security?.length === 0) continue;
    for (const status of ["401"]) assert.ok(operation.responses[status], `${name} documents no ${status}`);
  }
});

Deno.test("the server's OpenAPI document is the stored one: `deno task openapi` stores a changed one", () =>
  withServer(async (server) => {
    const shown = await (await call(server, "/openapi.json")).json();
    assert.deepEqual(shown, JSON.parse(await Deno.readTextFile(OPENAPI_FILE)));
  }));
