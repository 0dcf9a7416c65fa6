/** The server's configuration: the environment, read once and checked. */
import { z } from "@hono/zod-openapi";
import { totalmem } from "node:os";
import { SottoError } from "./errors.ts";

const MEBIBYTE = 1024 * 1024;

const count = (smallest: number, largest: number) => z.coerce.number().int().min(smallest).max(largest);
const bytes = (standard: number) => count(1, Number.MAX_SAFE_INTEGER).default(standard);

const layer = z.number().int().nonnegative();
/** JSON: `[{"layers": [0, 15], "url": "http://10.0.0.2:8080"}, {"output": true, "url": "http://10.0.0.3:8080"}]`. */
const placementSchema = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue({ code: "custom", message: "must be JSON" });
    return z.NEVER;
  }
}).pipe(z.array(z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  layers: z.tuple([layer, layer]).optional(),
  output: z.boolean().optional(),
})));

/** The server of the layers of a range, its ends included, and perhaps of the output. */
export type Placement = z.infer<typeof placementSchema>[number];

const environmentSchema = z.object({
  SOTTO_HOST: z.string().default("127.0.0.1"),
  SOTTO_PORT: count(0, 65535).default(8080),
  SOTTO_DATA_DIR: z.string().default("./data"),
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//, "must start with postgres:// or postgresql://").optional(),
  SOTTO_MAX_KEY_BYTES: bytes(80 * MEBIBYTE),
  SOTTO_MAX_MODEL_BYTES: bytes(100_000_000),
  SOTTO_MAX_PREDICTION_BYTES: bytes(1024 * MEBIBYTE),
  SOTTO_THREADS: count(1, 1024).optional(),
  SOTTO_BACKEND: z.string().optional(),
  SOTTO_LIBRARY: z.string().optional(),
  SOTTO_LOG_LEVEL: z.enum(["debug", "info", "warning", "error"]).default("info"),
  SOTTO_KEY_EXPIRY_DAYS: count(1, 36500).default(365),
  SOTTO_CONCURRENT_PREDICTIONS: count(1, 1024).default(2),
  SOTTO_QUEUED_PREDICTIONS: count(0, 4096).default(32),
  SOTTO_PREPARED_KEY_BYTES: bytes(512 * MEBIBYTE),
  SOTTO_COMPILED_MODELS: count(1, 4096).default(16),
  SOTTO_RUN_MEMORY_BYTES: bytes(Math.floor(totalmem() / 2)),
  SOTTO_ANSWER_MEMORY_BYTES: bytes(4 * MEBIBYTE),
  SOTTO_SYNCHRONOUS_SECONDS: z.coerce.number().min(0).max(86400).default(20),
  SOTTO_QUEUED_JOBS: count(0, 65536).default(64),
  SOTTO_JOBS_PER_TENANT: count(1, 65536).default(16),
  SOTTO_JOB_SPOOL_BYTES: bytes(8192 * MEBIBYTE),
  SOTTO_JOB_RETENTION_MINUTES: count(1, 525600).default(60),
  SOTTO_TRAINING_SESSIONS_PER_TENANT: count(1, 65536).default(16),
  SOTTO_TRAINING_BATCH_BYTES: bytes(256 * MEBIBYTE),
  SOTTO_RESUME_TRAINING: z.enum(["true", "false"]).default("true"),
  SOTTO_BASE_MODELS: z.string().optional(),
  SOTTO_BASE_MODEL_BYTES: bytes(Math.floor(totalmem() / 2)),
  SOTTO_FINE_TUNING_SESSIONS_PER_TENANT: count(1, 65536).default(16),
  SOTTO_FINE_TUNING_SESSION_BYTES: bytes(2 ** 42),
  SOTTO_FINE_TUNING_PLACEMENT: placementSchema.optional(),
  SOTTO_CONCURRENT_PRODUCTS: count(1, 1024).default(2),
  SOTTO_PRODUCT_MEMORY_BYTES: bytes(Math.floor(totalmem() / 4)),
  SOTTO_DRAIN_SECONDS: count(0, 3600).default(30),
  SOTTO_UPLOAD_IDLE_SECONDS: count(1, 86400).default(60),
});

/** Checked, immutable settings. All sizes are bytes. */
export interface Config {
  /** Address to listen on. */
  readonly host: string;
  /** 0 lets the operating system choose. */
  readonly port: number;
  /** Folder of the embedded database and of the objects. */
  readonly dataDir: string;
  /** PostgreSQL; the embedded database in `dataDir` when absent. */
  readonly databaseUrl?: string;
  /** Largest key file; lookup keys of setting 3 have 65 MB. */
  readonly maxKeyBytes: number;
  readonly maxModelBytes: number;
  readonly maxPredictionBytes: number;
  /** Worker threads of the kernels; all cores when absent. */
  readonly threads?: number;
  /** Name of the kernel back end; the fastest of this machine when absent. */
  readonly backend?: string;
  /** Path of the kernel library; the built one when absent. */
  readonly library?: string;
  readonly logLevel: "debug" | "info" | "warning" | "error";
  /** Days until registered keys expire. */
  readonly keyExpiryDays: number;
  /** Predictions that compute at the same time. */
  readonly concurrentPredictions: number;
  /** Predictions that may wait beyond those; further ones are answered `busy`. */
  readonly queuedPredictions: number;
  /**
   * Resident prepared keys that are kept between requests: 1.4 MB a client for evaluation keys, 110, 166 or 221 MB for lookup keys of
   * setting 1, 2 or 3. The default keeps three of setting 2.
   */
  readonly preparedKeyBytes: number;
  /** Compiled models that are kept between requests. */
  readonly compiledModels: number;
  /** What one run of a network may take, keys included; a network that needs more is refused at its import. Half of the memory by default. */
  readonly runMemoryBytes: number;
  /** Answers above this size wait in a file until they are complete. */
  readonly answerMemoryBytes: number;
  /** A prediction whose estimate is longer becomes a job. */
  readonly synchronousSeconds: number;
  /** Jobs that may wait or run; further ones are answered `busy`. */
  readonly queuedJobs: number;
  /** Unfinished jobs of one tenant; further ones are answered `quota_exceeded`. */
  readonly jobsPerTenant: number;
  /** Disk that the rows of unfinished jobs and the answers of all jobs may take together. */
  readonly jobSpoolBytes: number;
  /** Minutes until a finished job and its answers are forgotten. */
  readonly jobRetentionMinutes: number;
  /** Training sessions of one tenant; further ones are answered `quota_exceeded`. */
  readonly trainingSessionsPerTenant: number;
  /** Encrypted batches of the running training that are kept in memory between its steps. */
  readonly trainingBatchBytes: number;
  /** Trainings that ran when the server ended go on by themselves when it starts. */
  readonly resumeTraining: boolean;
  /** Folder that base models are registered from; absent: there are none. */
  readonly baseModels?: string;
  /** Prepared matrices of base models that are kept between requests: twice the bytes of their weights, shared by all sessions. */
  readonly baseModelBytes: number;
  /** Fine-tuning sessions of one tenant; further ones are answered `quota_exceeded`. */
  readonly fineTuningSessionsPerTenant: number;
  /** Bytes of requests and answers that one session may move. */
  readonly fineTuningSessionBytes: number;
  /** Servers that share this database and multiply by some layers; this one by all others. */
  readonly fineTuningPlacement: readonly Placement[];
  /** Products with tokens that compute at the same time. */
  readonly concurrentProducts: number;
  /** Bodies of products that are inside; further ones are answered `busy`. */
  readonly productMemoryBytes: number;
  /** How long a stop waits for the requests that are running. */
  readonly drainSeconds: number;
  /** How long the next bytes of an upload may take. */
  readonly uploadIdleSeconds: number;
}

/**
 * Settings from environment variables; an empty variable counts as absent.
 * Throws `configuration_invalid` naming every variable that is wrong.
 */
export function readConfig(environment: Record<string, string | undefined> = Deno.env.toObject()): Config {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const result = environmentSchema.safeParse(present);
  if (!result.success) throw invalid(result.error);
  return Object.freeze(toConfig(result.data));
}

function invalid(error: z.ZodError): SottoError {
  const wrong = error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  return new SottoError("configuration_invalid", `correct these environment variables: ${wrong.join("; ")}`);
}

function toConfig(values: z.infer<typeof environmentSchema>): Config {
  return {
    host: values.SOTTO_HOST,
    port: values.SOTTO_PORT,
    dataDir: values.SOTTO_DATA_DIR,
    databaseUrl: values.DATABASE_URL,
    maxKeyBytes: values.SOTTO_MAX_KEY_BYTES,
    maxModelBytes: values.SOTTO_MAX_MODEL_BYTES,
    maxPredictionBytes: values.SOTTO_MAX_PREDICTION_BYTES,
    threads: values.SOTTO_THREADS,
    backend: values.SOTTO_BACKEND,
    library: values.SOTTO_LIBRARY,
    logLevel: values.SOTTO_LOG_LEVEL,
    keyExpiryDays: values.SOTTO_KEY_EXPIRY_DAYS,
    concurrentPredictions: values.SOTTO_CONCURRENT_PREDICTIONS,
    queuedPredictions: values.SOTTO_QUEUED_PREDICTIONS,
    preparedKeyBytes: values.SOTTO_PREPARED_KEY_BYTES,
    compiledModels: values.SOTTO_COMPILED_MODELS,
    runMemoryBytes: values.SOTTO_RUN_MEMORY_BYTES,
    answerMemoryBytes: values.SOTTO_ANSWER_MEMORY_BYTES,
    synchronousSeconds: values.SOTTO_SYNCHRONOUS_SECONDS,
    queuedJobs: values.SOTTO_QUEUED_JOBS,
    jobsPerTenant: values.SOTTO_JOBS_PER_TENANT,
    jobSpoolBytes: values.SOTTO_JOB_SPOOL_BYTES,
    jobRetentionMinutes: values.SOTTO_JOB_RETENTION_MINUTES,
    trainingSessionsPerTenant: values.SOTTO_TRAINING_SESSIONS_PER_TENANT,
    trainingBatchBytes: values.SOTTO_TRAINING_BATCH_BYTES,
    resumeTraining: values.SOTTO_RESUME_TRAINING === "true",
    baseModels: values.SOTTO_BASE_MODELS,
    baseModelBytes: values.SOTTO_BASE_MODEL_BYTES,
    fineTuningSessionsPerTenant: values.SOTTO_FINE_TUNING_SESSIONS_PER_TENANT,
    fineTuningSessionBytes: values.SOTTO_FINE_TUNING_SESSION_BYTES,
    fineTuningPlacement: values.SOTTO_FINE_TUNING_PLACEMENT ?? [],
    concurrentProducts: values.SOTTO_CONCURRENT_PRODUCTS,
    productMemoryBytes: values.SOTTO_PRODUCT_MEMORY_BYTES,
    drainSeconds: values.SOTTO_DRAIN_SECONDS,
    uploadIdleSeconds: values.SOTTO_UPLOAD_IDLE_SECONDS,
  };
}
