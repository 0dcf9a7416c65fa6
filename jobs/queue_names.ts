/** The queues of pg-boss: one for every kind of job and capability of a worker, so that a worker asks for what it can do. */
import { JOB_KINDS, type JobKind } from "../db/mod.ts";

/** What workers may have: the `cpu` all of them. */
export const CAPABILITIES = ["cpu", "cuda"] as const;
export type WorkerCapability = (typeof CAPABILITIES)[number];

/** Where messages go that were tried as often as they may be. */
export const DEAD_QUEUE = "dead";

/** The queue of some jobs. */
export function queueName({ kind, capability }: { readonly kind: JobKind; readonly capability: string }): string {
  return `${kind}.${capability}`;
}

/** All queues but the dead one. */
export const QUEUE_NAMES = JOB_KINDS.flatMap((kind) =>
  CAPABILITIES.map((capability) => queueName({ kind, capability }))
);

/** What a back end of that name is capable of. */
export function capabilitiesOfBackend(name: string): WorkerCapability[] {
  return name.startsWith("cuda") ? ["cpu", "cuda"] : ["cpu"];
}
