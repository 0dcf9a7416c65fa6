import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { EventLoopLag } from "./event_loop_lag.ts";
import { addProcessMetrics } from "./process_metrics.ts";

/** What only some processes want. */
export interface MetricsOptions {
  /** Requests, refusals and work carry the tenant's id. */
  readonly tenants?: boolean;
}

/** Sets gauges right before they are read. */
export type Collector = () => void | Promise<void>;

/** What computed: a synchronous request, or a part of a job of its kind. */
export interface WorkLabels {
  readonly kind: "request" | "prediction" | "training" | "import" | "product";
  /** Such as `leaves`, `linear`, `score`, `network`, `training`, `tokens`. */
  readonly circuit: string;
  readonly tenant?: string;
}

/** Values of collectors are that old at most. */
const COLLECT_MS = 1000;
const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const WORK_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800, 7200];
/** log2 of the probability that one prediction of a model goes wrong. */
const FAILURE_LOG2 = [-256, -192, -128, -100, -80, -64, -50, -40, -30, -20];

/** The metrics of one process in Prometheus' text format. Labels have few values: never an id, and tenants only when asked for. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #collectors: Collector[] = [];
  readonly #lag: EventLoopLag;
  #collected = -Infinity;
  #collecting: Promise<void> | undefined;

  readonly requests: Counter;
  readonly requestSeconds: Histogram;
  readonly requestsRunning: Gauge;
  readonly refusals: Counter;
  readonly ciphertextBytes: Counter;
  readonly workSeconds: Histogram;
  readonly rows: Counter;
  readonly jobParts: Counter;
  readonly modelFailure: Histogram;
  readonly #collectErrors: Counter;
  readonly #hasTenants: boolean;

  constructor({ tenants = false }: MetricsOptions = {}) {
    const tenant = tenants ? ["tenant"] : [];
    this.requests = this.counter("sotto_http_requests_total", "Requests that were answered.", [
      "method",
      "route",
      "status",
      ...tenant,
    ]);
    this.requestSeconds = this.#histogram(
      "sotto_http_request_seconds",
      "Time until an answer began.",
      ["method", "route"],
      REQUEST_SECONDS,
    );
    this.requestsRunning = this.gauge("sotto_http_requests_running", "Requests whose answer has not begun.");
    this.refusals = this.counter("sotto_refusals_total", "Requests that were answered 429 or 503.", [
      "code",
      ...tenant,
    ]);
    this.ciphertextBytes = this.counter("sotto_ciphertext_bytes_total", "Bytes of encrypted files, in and out.", [
      "direction",
    ]);
    this.workSeconds = this.#histogram(
      "sotto_work_seconds",
      "Time of the back end for a request or a part of a job.",
      ["kind", "circuit", ...tenant],
      WORK_SECONDS,
    );
    this.rows = this.counter("sotto_rows_total", "Encrypted rows that were evaluated.", ["circuit"]);
    this.jobParts = this.counter("sotto_job_parts_total", "Attempts at parts of jobs in this process, by their end.", [
      "kind",
      "outcome",
    ]);
    this.modelFailure = this.#histogram(
      "sotto_model_failure_log2",
      "log2 of the planned probability that noise makes a prediction wrong, by import.",
      ["circuit"],
      FAILURE_LOG2,
    );
    this.#collectErrors = this.counter(
      "sotto_collect_errors_total",
      "Values that could not be read for these metrics.",
    );
    addProcessMetrics(this.#registry);
    this.#lag = new EventLoopLag(this.#registry);
    this.#hasTenants = tenants;
  }

  /** Time that the back end worked for one request or part of a job. */
  observeWork({ kind, circuit, tenant }: WorkLabels, seconds: number): void {
    this.workSeconds.observe({ kind, circuit, ...this.tenantLabel(tenant) }, seconds);
  }

  /** The tenant's label, when tenants are shown. */
  tenantLabel(tenant: string | undefined): { tenant?: string } {
    return this.#hasTenants ? { tenant: tenant ?? "" } : {};
  }

  /** The counter of this name, made when there is none. */
  counter(name: string, help: string, labelNames: string[] = []): Counter {
    const known = this.#registry.getSingleMetric(name) as Counter | undefined;
    return known ?? new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  /** The gauge of this name, made when there is none. */
  gauge(name: string, help: string, labelNames: string[] = []): Gauge {
    const known = this.#registry.getSingleMetric(name) as Gauge | undefined;
    return known ?? new Gauge({ name, help, labelNames, registers: [this.#registry] });
  }

  #histogram(name: string, help: string, labelNames: string[], buckets: number[]): Histogram {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.#registry] });
  }

  /** Runs before the metrics are read, once a second at most. */
  onCollect(collector: Collector): void {
    this.#collectors.push(collector);
  }

  /** All metrics as text. A collector that fails leaves its values as they were, and is counted. */
  async text(): Promise<string> {
    await this.#collect();
    return await this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  close(): void {
    this.#lag.close();
  }

  async #collect(): Promise<void> {
    if (performance.now() - this.#collected < COLLECT_MS) return;
    this.#collecting ??= this.#runCollectors().finally(() => this.#collecting = undefined);
    await this.#collecting;
  }

  async #runCollectors(): Promise<void> {
    const outcomes = await Promise.allSettled(this.#collectors.map(async (collect) => await collect()));
    this.#collectErrors.inc(outcomes.filter(({ status }) => status === "rejected").length);
    this.#collected = performance.now();
  }
}
