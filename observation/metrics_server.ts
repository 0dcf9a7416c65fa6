import { createHash, timingSafeEqual } from "node:crypto";
import { SottoError } from "../errors.ts";
import type { Metrics } from "./metrics.ts";

/** Where metrics are shown apart from the API, and to whom. */
export interface MetricsAddress {
  readonly metricsHost: string;
  /** None when absent. */
  readonly metricsPort?: number;
  /** Everyone who reaches the port when absent. */
  readonly metricsToken?: string;
}

/**
 * Serves `/metrics` and `/healthz` on a port of their own, for servers and workers. Returns what ends it, nothing without a port.
 * Throws `configuration_invalid` when the port cannot be had.
 */
export function serveMetrics(address: MetricsAddress, metrics: Metrics): AsyncDisposable & { readonly port?: number } {
  const { metricsHost: hostname, metricsPort: port } = address;
  if (port === undefined) return { [Symbol.asyncDispose]: () => Promise.resolve() };
  try {
    const server = Deno.serve({ hostname, port, onListen: () => {} }, (request) => answer(request, address, metrics));
    return { port: server.addr.port, [Symbol.asyncDispose]: () => server.shutdown() };
  } catch (cause) {
    const message = `cannot listen on ${hostname}:${port}: choose another SOTTO_METRICS_HOST or SOTTO_METRICS_PORT`;
    throw new SottoError("configuration_invalid", message, { cause });
  }
}

async function answer(request: Request, { metricsToken }: MetricsAddress, metrics: Metrics): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (request.method !== "GET") return new Response(null, { status: 405, headers: { allow: "GET" } });
  if (pathname === "/healthz") return Response.json({ status: "ok" });
  if (pathname !== "/metrics") return new Response(null, { status: 404 });
  if (metricsToken !== undefined && !isBearer(request.headers.get("authorization"), metricsToken)) {
    return new Response(null, { status: 401, headers: { "www-authenticate": "Bearer" } });
  }
  return new Response(await metrics.text(), { headers: { "content-type": metrics.contentType } });
}

/** Compares in a time that does not tell how much is right. */
export function isBearer(header: string | null | undefined, expected: string): boolean {
  const token = /^Bearer (.+)$/i.exec(header ?? "")?.[1] ?? "";
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(token), digest(expected));
}
