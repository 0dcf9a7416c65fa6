/**
 * Spans of OpenTelemetry. Deno exports them when it runs with OTEL_DENO=true; otherwise everything here does nothing and costs nothing.
 * Attributes are ids, sizes and names: never data.
 */
import { type Attributes, context, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { isSottoError } from "../errors.ts";

const tracer = trace.getTracer("sotto");

/** Runs `work` inside a span; an error that leaves it marks the span with its code. */
export function inSpan<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T> {
  return tracer.startActiveSpan(name, { attributes, kind: SpanKind.INTERNAL }, async (span) => {
    try {
      return await work();
    } catch (error) {
      const code = isSottoError(error) ? error.code : "internal";
      span.setAttribute("error.type", code);
      span.setStatus({ code: SpanStatusCode.ERROR, message: code });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Names the span of the running request, made by Deno's server, after its route. */
export function nameRequestSpan(method: string, route: string, attributes: Attributes): void {
  const span = trace.getActiveSpan();
  span?.updateName(`${method} ${route}`);
  span?.setAttributes({ "http.route": route, ...attributes });
}

/** The trace that runs here, hex; undefined without one. */
export function traceIdOf(): string | undefined {
  return trace.getActiveSpan()?.spanContext().traceId;
}

/** The running span in the W3C format, to be kept with a job; undefined without one. */
export function currentTraceparent(): string | undefined {
  const span = trace.getActiveSpan()?.spanContext();
  if (span === undefined) return undefined;
  return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, "0")}`;
}

/** Runs `work` as a continuation of the trace that `currentTraceparent` gave, perhaps in another process. */
export function withTraceparent<T>(traceparent: string | null | undefined, work: () => Promise<T>): Promise<T> {
  if (!traceparent) return work();
  return context.with(propagation.extract(context.active(), { traceparent }), work);
}
