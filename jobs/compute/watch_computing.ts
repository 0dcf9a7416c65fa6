/** Metrics of what computes, in a server as in a worker. */
import { jobStatistics, queueStatistics, workerStatistics } from "../../db/mod.ts";
import type { Metrics } from "../../observation/mod.ts";
import type { Computing } from "./computing.ts";
import type { HandleCache } from "./handle_cache.ts";

/** A worker that was not seen for so long is lost. */
const WORKER_SEEN_MS = 60_000;

/** Shows caches, kernels, queues, workers and database connections of the process that computes. */
export function watchComputing(metrics: Metrics, computing: Computing): void {
  const { backend } = computing;
  metrics.gauge("sotto_kernel_threads", "Worker threads of the kernels.", ["backend"])
    .set({ backend: backend.name }, backend.threads);
  watchCache(metrics, "prepared_keys", computing.preparedKeys);
  watchCache(metrics, "compiled_models", computing.compiledModels);
  watchQueues(metrics, computing);
  watchWorkers(metrics, computing);
  watchConnections(metrics, computing);
}

/** Shows a cache; its weight is bytes for keys and matrices, and a count for models. */
export function watchCache<T extends { close(): void }>(
  metrics: Metrics,
  cache: string,
  handles: HandleCache<T>,
): void {
  const lookups = metrics.counter("sotto_cache_lookups_total", "Uses of a cache.", ["cache", "outcome"]);
  const evictions = metrics.counter("sotto_cache_evictions_total", "Values that had to make room.", ["cache"]);
  const weight = metrics.gauge("sotto_cache_weight", "What a cache holds: bytes, or models.", ["cache"]);
  const before = { hits: 0, misses: 0, evictions: 0 };
  metrics.onCollect(() => {
    const now = handles.statistics;
    lookups.inc({ cache, outcome: "hit" }, now.hits - before.hits);
    lookups.inc({ cache, outcome: "miss" }, now.misses - before.misses);
    evictions.inc({ cache }, now.evictions - before.evictions);
    weight.set({ cache }, now.weight);
    Object.assign(before, now);
  });
}

function watchQueues(metrics: Metrics, { database }: Computing): void {
  const labels = ["queue", "kind"];
  const depth = metrics.gauge("sotto_queue_parts", "Parts of jobs in the database.", [...labels, "state"]);
  const age = metrics.gauge("sotto_queue_oldest_seconds", "Age of the oldest job with a part that waits.", labels);
  const all = metrics.gauge("sotto_jobs", "Jobs that the database remembers.", ["kind", "state"]);
  metrics.onCollect(async () => {
    const [queues, jobs] = [await queueStatistics(database), await jobStatistics(database)];
    for (const gauge of [depth, age, all]) gauge.reset();
    for (const { capability: queue, kind, state, parts, oldest } of queues) {
      depth.set({ queue, kind, state }, parts);
      if (state === "queued") age.set({ queue, kind }, Math.max(0, (Date.now() - oldest.getTime()) / 1000));
    }
    for (const { kind, state, jobs: count } of jobs) all.set({ kind, state }, count);
  });
}

function watchWorkers(metrics: Metrics, { database }: Computing): void {
  const workers = metrics.gauge("sotto_workers", "Workers that were seen within a minute.");
  const threads = metrics.gauge("sotto_worker_threads", "Threads of those workers.");
  metrics.onCollect(async () => {
    const found = await workerStatistics(database, new Date(Date.now() - WORKER_SEEN_MS));
    workers.set(found.workers);
    threads.set(found.threads);
  });
}

function watchConnections(metrics: Metrics, { database: { connection }, config }: Computing): void {
  const most = metrics.gauge(
    "sotto_database_connections_max",
    "Connections that queries of this process share at most.",
  );
  const open = metrics.gauge("sotto_database_connections", "Connections that queries of this process share.", [
    "state",
  ]);
  const waiting = metrics.gauge("sotto_database_waiting", "Queries that wait for a connection.");
  most.set(connection.kind === "server" ? config.databaseConnections : 1);
  if (connection.kind !== "server") return;
  metrics.onCollect(() => {
    const { totalCount, idleCount, waitingCount } = connection.pool;
    open.set({ state: "idle" }, idleCount);
    open.set({ state: "busy" }, totalCount - idleCount);
    waiting.set(waitingCount);
  });
}
