/** Settings of what the server is asked for: its limits and its memory. */
import { z } from "@hono/zod-openapi";
import { totalmem } from "node:os";
import { placementSchema } from "./placement.ts";
import { bytes, count, flag, setting } from "./setting.ts";

const MEBIBYTE = 1024 * 1024;
const HALF_OF_MEMORY = { standard: "half of the machine's memory" };
const text = z.string();

export const files = {
  maxKeyBytes: setting(
    "SOTTO_MAX_KEY_BYTES",
    bytes(80 * MEBIBYTE),
    "Largest key file; lookup keys of setting 3 have 65 MB.",
  ),
  maxModelBytes: setting("SOTTO_MAX_MODEL_BYTES", bytes(100_000_000), "Largest model file."),
  maxPredictionBytes: setting("SOTTO_MAX_PREDICTION_BYTES", bytes(1024 * MEBIBYTE), "Largest body of a prediction."),
  keyExpiryDays: setting("SOTTO_KEY_EXPIRY_DAYS", count(1, 36500).default(365), "Days until registered keys expire."),
};

export const computing = {
  concurrentPredictions: setting(
    "SOTTO_CONCURRENT_PREDICTIONS",
    count(1, 1024).default(2),
    "Predictions that compute at the same time.",
  ),
  queuedPredictions: setting(
    "SOTTO_QUEUED_PREDICTIONS",
    count(0, 65536).default(32),
    "Predictions that may wait beyond those; further ones are answered `busy`.",
  ),
  synchronousSeconds: setting(
    "SOTTO_SYNCHRONOUS_SECONDS",
    z.coerce.number().min(0).max(86400).default(20),
    "A prediction whose estimate is longer becomes a job.",
  ),
  preparedKeyBytes: setting(
    "SOTTO_PREPARED_KEY_BYTES",
    bytes(512 * MEBIBYTE),
    "Prepared keys that are kept between requests: 1.4 MB a client for evaluation keys, 110, 166 or 221 MB for lookup keys of setting 1, 2 or 3. The default keeps three of setting 2.",
  ),
  compiledModels: setting(
    "SOTTO_COMPILED_MODELS",
    count(1, 4096).default(16),
    "Compiled models that are kept between requests.",
  ),
  runMemoryBytes: setting(
    "SOTTO_RUN_MEMORY_BYTES",
    bytes(Math.floor(totalmem() / 2)),
    "What one run of a network may take, keys included; a network that needs more is refused at its import.",
    HALF_OF_MEMORY,
  ),
  answerMemoryBytes: setting(
    "SOTTO_ANSWER_MEMORY_BYTES",
    bytes(4 * MEBIBYTE),
    "Answers above this size wait in a file until they are complete.",
  ),
};

export const limits = {
  requestsPerMinute: setting(
    "SOTTO_REQUESTS_PER_MINUTE",
    count(1, 1_000_000_000).default(30_000),
    "Requests of one tenant in a minute, at all servers of the database together; further ones are answered `rate_limited`. `sotto tenants set` changes this and the next three for one tenant.",
  ),
  uploadBytesPerMinute: setting(
    "SOTTO_UPLOAD_BYTES_PER_MINUTE",
    bytes(65_536 * MEBIBYTE),
    "Bytes that one tenant may send in a minute, at all servers together. A body that begins below the limit is taken as a whole.",
  ),
  concurrentRequests: setting(
    "SOTTO_CONCURRENT_REQUESTS",
    count(1, 1_000_000).default(1024),
    "Requests of one tenant that are inside at the same time, at all servers together (as they told each other in the last seconds).",
  ),
  queuedRequests: setting(
    "SOTTO_QUEUED_REQUESTS",
    count(1, 1_000_000).optional(),
    "Predictions of one tenant that compute or wait, at all servers together; further ones are answered `rate_limited`.",
    { standard: "SOTTO_CONCURRENT_PREDICTIONS and half of SOTTO_QUEUED_PREDICTIONS" },
  ),
  refusedTokensPerMinute: setting(
    "SOTTO_REFUSED_TOKENS_PER_MINUTE",
    count(1, 1_000_000_000).default(300),
    "Requests without a good token that one network address may send to this server in a minute; then only tokens that were good lately pass from there.",
  ),
  addressHeader: setting(
    "SOTTO_ADDRESS_HEADER",
    text.optional(),
    "Header in which a proxy in front of the server names the client's address last, such as `x-forwarded-for`. Set it only behind such a proxy.",
    { standard: "the address of the connection" },
  ),
  auditDays: setting(
    "SOTTO_AUDIT_DAYS",
    count(0, 36500).default(365),
    "Days that the audit log is kept; 0 keeps it for good.",
  ),
};

export const jobs = {
  queuedJobs: setting(
    "SOTTO_QUEUED_JOBS",
    count(0, 65536).default(64),
    "Jobs that may wait or run; further ones are answered `busy`.",
  ),
  jobsPerTenant: setting(
    "SOTTO_JOBS_PER_TENANT",
    count(1, 65536).default(16),
    "Unfinished jobs of one tenant; further ones are answered `quota_exceeded`.",
  ),
  jobSpoolBytes: setting(
    "SOTTO_JOB_SPOOL_BYTES",
    bytes(8192 * MEBIBYTE),
    "Disk that the rows of unfinished jobs and the answers of all jobs may take together.",
  ),
  partRows: setting(
    "SOTTO_PART_ROWS",
    count(1, 1_000_000).default(4096),
    "Rows of one part of a job at most. Workers share a job by its parts, and a part is computed again when its worker is lost.",
  ),
  worker: setting("SOTTO_WORKER", flag(true), "The server computes jobs in its own process too."),
  jobRetentionMinutes: setting(
    "SOTTO_JOB_RETENTION_MINUTES",
    count(1, 525600).default(60),
    "Minutes until a finished job and its answers are forgotten.",
  ),
};

export const training = {
  trainingSessionsPerTenant: setting(
    "SOTTO_TRAINING_SESSIONS_PER_TENANT",
    count(1, 65536).default(16),
    "Training sessions of one tenant; further ones are answered `quota_exceeded`.",
  ),
  trainingBatchBytes: setting(
    "SOTTO_TRAINING_BATCH_BYTES",
    bytes(256 * MEBIBYTE),
    "Encrypted batches of the running training that are kept in memory between its steps.",
  ),
  resumeTraining: setting(
    "SOTTO_RESUME_TRAINING",
    flag(true),
    "Trainings that ran when the server ended go on by themselves when it starts.",
  ),
};

export const fineTuning = {
  baseModels: setting("SOTTO_BASE_MODELS", text.optional(), "Folder that base models are registered from.", {
    standard: "there are none",
  }),
  baseModelBytes: setting(
    "SOTTO_BASE_MODEL_BYTES",
    bytes(Math.floor(totalmem() / 2)),
    "Prepared matrices of base models that are kept between requests: twice the bytes of their weights, shared by all sessions.",
    HALF_OF_MEMORY,
  ),
  fineTuningSessionsPerTenant: setting(
    "SOTTO_FINE_TUNING_SESSIONS_PER_TENANT",
    count(1, 65536).default(16),
    "Fine-tuning sessions of one tenant; further ones are answered `quota_exceeded`.",
  ),
  fineTuningSessionBytes: setting(
    "SOTTO_FINE_TUNING_SESSION_BYTES",
    bytes(2 ** 42),
    "Bytes of requests and answers that one session may move.",
  ),
  fineTuningPlacement: setting(
    "SOTTO_FINE_TUNING_PLACEMENT",
    placementSchema,
    "Servers that share this database and multiply by some layers (JSON: a list of `url` with `layers` or `output`); this one by all others.",
  ),
  concurrentProducts: setting(
    "SOTTO_CONCURRENT_PRODUCTS",
    count(1, 1024).default(2),
    "Products with tokens that compute at the same time.",
  ),
  productMemoryBytes: setting(
    "SOTTO_PRODUCT_MEMORY_BYTES",
    bytes(Math.floor(totalmem() / 4)),
    "Bodies of products that are inside; further ones are answered `busy`.",
    { standard: "a quarter of the machine's memory" },
  ),
};
