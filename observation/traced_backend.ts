import type { ServerBackend } from "../circuits/backend.ts";
import { inSpan } from "./tracing.ts";

/** Calls of the back end that compute for a client. */
const TRACED = new Set([
  "loadEvaluationKeys",
  "loadLookupKeys",
  "loadTrainingKeys",
  "evaluateLeaves",
  "evaluateLinear",
  "expandInputs",
  "applyLayer",
  "lookup",
  "lookupTorus",
  "packAnswers",
  "externalProduct",
  "automorphism",
  "multiplyTokens",
  "multiplyMasks",
  "createTokenMatrix",
]);

/** The same back end, with a span around every call that computes when this process exports traces. */
export function tracedBackend<T extends ServerBackend>(backend: T): T {
  if (Deno.env.get("OTEL_DENO") !== "true") return backend;
  return traced(backend, backend.name);
}

type AsyncCall = (...args: unknown[]) => Promise<unknown>;

function traced<T extends object>(part: T, backend: string): T {
  const around = (name: string, target: object, call: AsyncCall) => (...args: unknown[]) =>
    inSpan(`kernel ${name}`, { "sotto.backend": backend }, () => call.apply(target, args));
  return new Proxy(part, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (name === "training" || name === "tokens") return traced(value as object, backend);
      if (typeof value !== "function") return value;
      return typeof name === "string" && TRACED.has(name)
        ? around(name, target, value as AsyncCall)
        : value.bind(target);
    },
  });
}
