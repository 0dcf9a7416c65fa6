/** What the routes work with: made once by `createApp`. */
import type { EvaluationKeys, LookupKeys, ServerBackend } from "../circuits/backend.ts";
import type { Config } from "../config.ts";
import type { Database, TokenInfo } from "../db/mod.ts";
import type { ObjectStore } from "../store/mod.ts";
import type { CompiledModel } from "./models/compiled_model.ts";
import type { ByteBudget } from "./finetune/byte_budget.ts";
import type { GroupMatrices } from "./finetune/group_matrices.ts";
import type { Gate } from "./gate.ts";
import type { HandleCache } from "./handle_cache.ts";
import type { Jobs } from "./jobs/jobs.ts";
import type { TrainingRuns } from "./training/runs.ts";

/** Structured log; a LogTape logger is one. Never give it tokens, bodies or rows. */
export interface Log {
  info(message: string, properties: Record<string, unknown>): void;
  warn(message: string, properties: Record<string, unknown>): void;
  error(message: string, properties: Record<string, unknown>): void;
}

/** What the app is a function of. */
export interface AppParts {
  readonly config: Config;
  readonly database: Database;
  readonly store: ObjectStore;
  readonly backend: ServerBackend;
  readonly log: Log;
}

/** The parts, and what is kept in memory between requests. */
export interface Services extends AppParts {
  /** Prepared keys by object digest, weighed in bytes. */
  readonly preparedKeys: HandleCache<EvaluationKeys | LookupKeys>;
  /** Compiled models by tenant and id, weighed one each. */
  readonly compiledModels: HandleCache<CompiledModel>;
  /** Admission of predictions and their turns at the back end. */
  readonly predictions: Gate;
  /** Imports run one by one: each may hold a whole model file several times over. */
  readonly imports: Gate;
  /** Uploaded key files are loaded once to check them, one at a time: each takes up to five times its size. */
  readonly keyChecks: Gate;
  /** Predictions that are answered later. */
  readonly jobs: Jobs;
  /** Encrypted trainings that run. */
  readonly trainings: TrainingRuns;
  /** Prepared matrices of base models by model and group, weighed in bytes. */
  readonly baseGroups: HandleCache<GroupMatrices>;
  /** Admission of products with tokens and their turns at the back end. */
  readonly products: Gate;
  /** Bodies of products that are held. */
  readonly productBytes: ByteBudget;
}

/** Per request. */
export interface Env {
  Variables: {
    requestId: string;
    /** Set on every path below `/v1`. */
    caller: TokenInfo;
    /** The code of the error that was answered, for the log. */
    errorCode: string | undefined;
  };
}
