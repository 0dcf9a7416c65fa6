import type { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { SottoError } from "../../errors.ts";
import { CALIBRATION_BYTES_MAX, readCalibration } from "../../models/calibration.ts";
import { tooLarge } from "../../store/mod.ts";
import type { ImportRequest } from "../../jobs/mod.ts";
import { bodyBytes, bodyStream, type UploadLimits } from "../body.ts";
import { malformedRequest } from "../problem.ts";
import type { Env } from "../services.ts";
import { edgesSchema, type importQuerySchema } from "./contract.ts";

type ImportQuery = Omit<z.infer<typeof importQuerySchema>, "priority">;

/** Reads the body of an import, within the limits. Throws `body_too_large` or `malformed_request`. */
export async function readImportRequest(
  c: Context<Env>,
  query: ImportQuery,
  limits: UploadLimits,
): Promise<ImportRequest> {
  const { name, format } = query;
  const bins = { kind: "model" as const };
  const mode = query.mode === "score" ? { mode: query.mode } : {};
  if (query.bins === "model" && !isForm(c)) {
    return { name, file: await bodyBytes(c, limits), options: { format, bins, ...mode } };
  }
  const parts = await readParts(c, { ...limits, maxBytes: limits.maxBytes + CALIBRATION_BYTES_MAX });
  if (parts.file.length > limits.maxBytes) throw tooLarge(limits.maxBytes);
  if (query.bins === "quantile") {
    const edges = edgesOf(parts);
    checkCounts(edges, query.n_bits);
    return { name, file: parts.file, options: { format, bins: { kind: "quantile", edges }, ...mode } };
  }
  const { calibration } = parts;
  if (calibration === undefined) return { name, file: parts.file, options: { format, bins, ...mode } };
  if (format !== "onnx") {
    throw new SottoError("malformed_request", "calibration: only networks, format=onnx, take this part");
  }
  if (query.mode === "score") throw new SottoError("malformed_request", "mode: networks have no mode, leave it out");
  if (Buffer.compare(calibration, parts.file) === 0) {
    throw new SottoError("malformed_request", "calibration: this is the model file again, send rows");
  }
  const digest = createHash("sha256").update(calibration).digest("hex");
  return {
    name,
    file: parts.file,
    options: { format, bins, calibration: digest },
    calibration: readCalibration(calibration),
    calibrationFile: calibration,
  };
}

function isForm(c: Context<Env>): boolean {
  return (c.req.header("content-type") ?? "").toLowerCase().startsWith("multipart/form-data");
}

/** What a form holds. */
interface Parts {
  readonly file: Uint8Array;
  readonly edges?: string;
  readonly calibration?: Uint8Array;
}

async function readParts(c: Context<Env>, limits: UploadLimits): Promise<Parts> {
  const type = c.req.header("content-type") ?? "";
  if (!isForm(c)) {
    throw new SottoError(
      "malformed_request",
      "bins=quantile needs a multipart/form-data body with parts model and edges",
    );
  }
  const form = await readForm(new Response(bodyStream(c, limits), { headers: { "content-type": type } }));
  const [file, edges, calibration] = ["model", "edges", "calibration"].map((name) => form.get(name));
  if (!(file instanceof File)) throw new SottoError("malformed_request", "model: send the model file as this part");
  return {
    file: await file.bytes(),
    edges: edges instanceof File ? await edges.text() : edges ?? undefined,
    calibration: calibration === null ? undefined : await new Response(calibration).bytes(),
  };
}

function edgesOf({ edges, calibration }: Parts): number[][] {
  if (calibration !== undefined) {
    throw new SottoError("malformed_request", "calibration: a network has no bins, leave bins=quantile out");
  }
  if (edges === undefined) {
    throw new SottoError("malformed_request", "edges: send one sorted array a feature as this part");
  }
  return parseEdges(edges);
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
