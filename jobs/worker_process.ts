/** A process that computes jobs and answers no requests: it needs the database and the object store. */
import type { Computing } from "./compute/computing.ts";
import { freeTurns } from "./compute/computing.ts";
import { HandleCache } from "./compute/handle_cache.ts";
import { Jobs } from "./jobs.ts";
import { Queue } from "./queue.ts";
import { Worker } from "./worker.ts";

/** What a worker process is a function of. */
export type WorkerParts = Omit<Computing, "preparedKeys" | "compiledModels" | "predictions">;

/** A worker process's inside. */
export interface WorkerProcess {
  /** What it computes with. */
  readonly computing: Computing;
  /** Registers and begins to take parts. */
  start(): Promise<void>;
  /** See `Worker.drain`. */
  drain(seconds: number): Promise<void>;
  /** Frees what it keeps, not its parts. */
  close(): Promise<void>;
}

/** Makes one; starts nothing. */
export function createWorker(parts: WorkerParts): WorkerProcess {
  const basis = { ...parts, queue: new Queue(parts.database, parts.log) };
  const computing: Computing = {
    ...parts,
    preparedKeys: new HandleCache(parts.config.preparedKeyBytes, (keys) => keys.bytes),
    compiledModels: new HandleCache(parts.config.compiledModels, () => 1),
    predictions: freeTurns,
  };
  const jobs = new Jobs(basis);
  const worker = new Worker(basis, computing);
  return {
    computing,
    async start() {
      await jobs.start();
      await worker.start();
    },
    drain: (seconds) => worker.drain(seconds),
    async close() {
      await worker.drain(0);
      await jobs.close();
      computing.preparedKeys.close();
      computing.compiledModels.close();
    },
  };
}
