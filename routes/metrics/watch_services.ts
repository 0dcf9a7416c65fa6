import type { Gate } from "../gate.ts";
import { freeBytes } from "../health/mod.ts";
import type { Services } from "../services.ts";
import { watchCache, watchComputing } from "../../jobs/mod.ts";

/** Shows what the services hold: gates, caches, disk, and what `watchComputing` shows. */
export function watchServices(services: Services): void {
  const { metrics, config } = services;
  watchComputing(metrics, services);
  watchCache(metrics, "base_matrices", services.baseGroups);
  watchGates(services, {
    predictions: services.predictions,
    imports: services.imports,
    key_checks: services.keyChecks,
    products: services.products,
  });
  const free = metrics.gauge("sotto_disk_free_bytes", "Room in the data folder.");
  metrics.onCollect(async () => free.set(await freeBytes(config.dataDir)));
}

function watchGates({ metrics }: Services, gates: Record<string, Gate>): void {
  const depth = metrics.gauge("sotto_gate_depth", "Requests inside a gate.", ["gate", "state"]);
  metrics.onCollect(() => {
    for (const [gate, { depth: { admitted, running, waiting } }] of Object.entries(gates)) {
      depth.set({ gate, state: "admitted" }, admitted);
      depth.set({ gate, state: "running" }, running);
      depth.set({ gate, state: "waiting" }, waiting);
    }
  });
}
