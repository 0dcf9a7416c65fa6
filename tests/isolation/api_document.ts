import { call, type TestServer } from "../support/server.ts";

/** One operation of the OpenAPI document. */
export interface Operation {
  readonly method: string;
  /** With its parameters in braces, such as `/v1/keys/{id}`. */
  readonly path: string;
  readonly pathParameters: readonly string[];
  readonly queryParameters: readonly string[];
  /** Content types of its body; empty when it takes none. */
  readonly bodyTypes: readonly string[];
}

interface Described {
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly requestBody?: { readonly content: Record<string, unknown> };
}

/** Every operation that a server's document lists, so that a route added later is found by itself. */
export async function operationsOf(server: TestServer): Promise<Operation[]> {
  const { paths }: { paths: Record<string, Record<string, Described>> } = await (await call(server, "/openapi.json"))
    .json();
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { parameters = [], requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      pathParameters: parameters.filter((parameter) => parameter.in === "path").map(({ name }) => name),
      queryParameters: parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name),
      bodyTypes: Object.keys(requestBody?.content ?? {}),
    }))
  );
}

/** As people write it: `GET /v1/keys/{id}`. */
export function nameOf({ method, path }: Operation): string {
  return `${method} ${path}`;
}
