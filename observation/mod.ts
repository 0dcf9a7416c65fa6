/** The door of what operators see of a process: metrics and traces. */
export { type Collector, Metrics, type MetricsOptions, type WorkLabels } from "./metrics.ts";
export { isBearer, type MetricsAddress, serveMetrics } from "./metrics_server.ts";
export { currentTraceparent, inSpan, nameRequestSpan, traceIdOf, withTraceparent } from "./tracing.ts";
export { tracedBackend } from "./traced_backend.ts";
