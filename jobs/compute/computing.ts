/** What computations work with: the same in a server and in a worker. */
import type { EvaluationKeys, LookupKeys, ServerBackend } from "../../circuits/backend.ts";
import type { Config } from "../../config.ts";
import type { Database } from "../../db/mod.ts";
import type { ObjectStore } from "../../store/mod.ts";
import type { Metrics } from "../../observation/mod.ts";
import type { Log } from "../log.ts";
import type { CompiledModel } from "./compiled_model.ts";
import type { HandleCache } from "./handle_cache.ts";

/** Turns at the back end, shared fairly between tenants. */
export interface Turns {
  /** Runs `work` when it is the tenant's turn; throws `cancelled` when `signal` ends the wait. */
  turn<T>(tenant: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** The parts of a process that computes, and what it keeps in memory between computations. */
export interface Computing {
  readonly config: Config;
  readonly database: Database;
  readonly store: ObjectStore;
  readonly backend: ServerBackend;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Prepared keys by object digest, weighed in bytes. */
  readonly preparedKeys: HandleCache<EvaluationKeys | LookupKeys>;
  /** Compiled models by tenant and id, weighed one each. */
  readonly compiledModels: HandleCache<CompiledModel>;
  /** Between two pieces of work others get their turn. */
  readonly predictions: Turns;
}

/** Turns of a process in which nobody else computes. */
export const freeTurns: Turns = { turn: (_tenant, work) => work() };
