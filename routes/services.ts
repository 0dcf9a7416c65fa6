/** What the routes work with: made once by `createApp`. */
import type { EvaluationKeys, LookupKeys, ServerBackend } from "../circuits/backend.ts";
import type { Config } from "../config.ts";
import type { Caller, Database } from "../db/mod.ts";
import type { Metrics } from "../observation/mod.ts";
import type { ObjectCollector, ObjectStore } from "../store/mod.ts";
import type { CompiledModel, HandleCache, Jobs, Log, Worker } from "../jobs/mod.ts";
import type { ByteBudget } from "./finetune/byte_budget.ts";
import type { GroupMatrices } from "./finetune/group_matrices.ts";
import type { Drain } from "./drain.ts";
import type { AuditLog } from "./audit/audit_log.ts";
import type { Gate } from "./gate.ts";
import type { Limits } from "./limits/mod.ts";
import type { Upload } from "./limits/upload.ts";
import type { TrainingRuns } from "./training/runs.ts";

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
  readonly metrics: Metrics;
  /** The requests that run, and whether the server is stopping. */
  readonly drain: Drain;
  /** Prepared keys by object digest, weighed in bytes. */
  readonly preparedKeys: HandleCache<EvaluationKeys | LookupKeys>;
  /** Compiled models by tenant and id, weighed one each. */
  readonly compiledModels: HandleCache<CompiledModel>;
  /** Limits of tenants and tokens. */
  readonly limits: Limits;
  /** What was asked for by whom. */
  readonly audit: AuditLog;
  /** Turns of predictions at the back end; `limits.prediction` admits them. */
  readonly predictions: Gate;
  /** Imports run one by one: each may hold a whole model file several times over. */
  readonly imports: Gate;
  /** Uploaded key files are loaded once to check them, one at a time: each takes up to five times its size. */
  readonly keyChecks: Gate;
  /** What is computed later. */
  readonly jobs: Jobs;
  /** Computes jobs in this process; absent when only workers of their own do. */
  readonly worker?: Worker;
  /** Runs of encrypted trainings. */
  readonly trainings: TrainingRuns;
  /** Prepared matrices of base models by model and group, weighed in bytes. */
  readonly baseGroups: HandleCache<GroupMatrices>;
  /** Admission of products with tokens and their turns at the back end. */
  readonly products: Gate;
  /** Bodies of products that are held. */
  readonly productBytes: ByteBudget;
  /** Removes objects that nothing names any more. */
  readonly collector: ObjectCollector;
}

/** Per request. */
export interface Env {
  Bindings: {
    /** Address of the client; absent for requests of this process. */
    remoteAddress?: string;
  };
  Variables: {
    requestId: string;
    /** Set on every path below `/v1`. */
    caller: Caller;
    /** The bytes of the body. Set on every path below `/v1`. */
    upload: Upload;
    /** Id of what was made, for the audit log; the last part of the header `location` when absent. */
    subject: string | undefined;
    /** Of a POST that has one. */
    idempotencyKey: string | undefined;
    /** The code of the error that was answered, for the log. */
    errorCode: string | undefined;
  };
}
