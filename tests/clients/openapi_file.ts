/**
 * The stored copy of the OpenAPI document, so that a change of the interface is seen when it is made.
 *
 *     deno task openapi
 *
 * writes it anew. docs/versioning.md says which changes are allowed.
 */
import { fileURLToPath } from "node:url";
import { call, withServer } from "../support/server.ts";

export const OPENAPI_FILE = fileURLToPath(new URL("../../docs/openapi.json", import.meta.url));

/** The stored document. */
export function readDocument(): Promise<string> {
  return Deno.readTextFile(OPENAPI_FILE);
}

if (import.meta.main) {
  await withServer(async (server) => {
    const document = await (await call(server, "/openapi.json")).json();
    await Deno.writeTextFile(OPENAPI_FILE, JSON.stringify(document, null, 2) + "\n");
  });
}
