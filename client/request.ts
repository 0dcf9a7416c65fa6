/** One HTTP call: bearer token, problem+json to SottoError, no secret in any message. */
import { ERROR_STATUS, type ErrorCode, SottoError } from "../errors.ts";

/** What to send. `path` starts with a slash. */
export interface Call {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body?: Uint8Array | Blob | ReadableStream<Uint8Array> | FormData;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * Sends a call and returns the response of a success.
 * @throws SottoError with the server's code, `server_unreachable` when there is no answer, `cancelled` on abort.
 */
export async function request(base: string, token: string, call: Call): Promise<Response> {
  const response = await send(base, token, call);
  if (response.ok) return response;
  throw await problem(response);
}

async function send(base: string, token: string, call: Call): Promise<Response> {
  const headers = new Headers({ ...call.headers, authorization: `Bearer ${token}` });
  if (call.json !== undefined) headers.set("content-type", "application/json");
  else if (call.body !== undefined && !(call.body instanceof FormData)) {
    headers.set("content-type", "application/octet-stream");
  }
  const body = call.json === undefined ? call.body as BodyInit | undefined : JSON.stringify(call.json);
  try {
    return await fetch(base + call.path, { method: call.method ?? "GET", headers, body, signal: call.signal });
  } catch (cause) {
    if (call.signal?.aborted) throw new SottoError("cancelled", "the call was cancelled", { cause });
    throw new SottoError(
      "server_unreachable",
      `no answer from ${new URL(base).origin}: is the server running there, and is the address right?`,
      { cause },
    );
  }
}

async function problem(response: Response): Promise<SottoError> {
  const body: unknown = await response.json().catch(() => undefined);
  const { code, detail, request_id } = (body ?? {}) as Record<string, unknown>;
  if (typeof code === "string" && typeof detail === "string" && code in ERROR_STATUS) {
    const known = code as ErrorCode;
    const where = known === "internal" && typeof request_id === "string" ? ` (request ${request_id})` : "";
    return new SottoError(known, detail + where);
  }
  return new SottoError(
    "server_unreachable",
    `the answer has status ${response.status} and is not from a Sotto server: is the address right?`,
  );
}
