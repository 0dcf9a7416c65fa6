import type { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { createHash } from "node:crypto";
import type { ImportOptions } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import { bodyBytes, bodyStream, type UploadLimits } from "../body.ts";
import { malformedRequest } from "../problem.ts";
import type { Env } from "../services.ts";
import { edgesSchema, type importQuerySchema } from "./contract.ts";

type ImportQuery = z.infer<typeof importQuerySchema>;

/** A model file as it arrived. */
export interface ImportRequest {
  readonly name: string;
  readonly file: Uint8Array;
  readonly options: ImportOptions;
}

/** Reads the body of an import, within the limits. Throws `body_too_large` or `malformed_request`. */
export async function readImportRequest(
  c: Context<Env>,
  query: ImportQuery,
  limits: UploadLimits,
): Promise<ImportRequest> {
  const { name, format } = query;
  if (query.bins === "model") {
    return { name, file: await bodyBytes(c, limits), options: { format, bins: { kind: "model" } } };
  }
  const { file, edges } = await readParts(c, limits);
  checkCounts(edges, query.n_bits);
  return { name, file, options: { format, bins: { kind: "quantile", edges } } };
}

/** SHA-256 of the import options, in one fixed spelling, and the file. */
export function modelIdOf({ file, options }: ImportRequest): string {
  const bins = options.bins.kind === "model" ? ["model"] : ["quantile", options.bins.edges];
  return createHash("sha256").update(`${JSON.stringify([options.format, ...bins])}\n`).update(file).digest("hex");
}

async function readParts(c: Context<Env>, limits: UploadLimits): Promise<{ file: Uint8Array; edges: number[][] }> {
  const type = c.req.header("content-type") ?? "";
  if (!type.toLowerCase().startsWith("multipart/form-data")) {
    throw new SottoError(
      "malformed_request",
      "bins=quantile needs a multipart/form-data body with parts model and edges",
    );
  }
  const form = await readForm(new Response(bodyStream(c, limits), { headers: { "content-type": type } }));
  const [file, edges] = [form.get("model"), form.get("edges")];
  if (!(file instanceof File)) throw new SottoError("malformed_request", "model: send the model file as this part");
  if (edges === null) throw new SottoError("malformed_request", "edges: send one sorted array a feature as this part");
  return { file: await file.bytes(), edges: parseEdges(typeof edges === "string" ? edges : await edges.text()) };
}

async function readForm(body: Response): Promise<FormData> {
  try {
    return await body.formData();
  } catch (error) {
    if (error instanceof SottoError) throw error;
    throw new SottoError("malformed_request", "the multipart/form-data body cannot be read: send it again", {
      cause: error,
    });
  }
}

function parseEdges(text: string): number[][] {
  const result = edgesSchema.safeParse(parseJson(text));
  if (result.success) return result.data;
  throw malformedRequest({
    issues: result.error.issues.map((issue) => ({ ...issue, path: ["edges", ...issue.path] })),
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SottoError("malformed_request", "edges: the part is not JSON", { cause });
  }
}

function checkCounts(edges: readonly (readonly number[])[], bits: number | undefined): void {
  const feature = bits === undefined ? -1 : edges.findIndex((list) => list.length > 2 ** bits);
  if (feature < 0) return;
  const count = edges[feature].length;
  throw new SottoError(
    "malformed_request",
    `edges.${feature}: holds ${count} edges, n_bits=${bits} allows ${2 ** bits!}`,
  );
}
