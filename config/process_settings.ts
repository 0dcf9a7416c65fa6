/** Settings of the process: where it listens, what it works with, what it shows. */
import { z } from "@hono/zod-openapi";
import { bytes, count, flag, setting } from "./setting.ts";

const MEBIBYTE = 1024 * 1024;
const text = z.string();
const postgresUrl = text.regex(/^postgres(ql)?:\/\//, "must start with postgres:// or postgresql://");

export const server = {
  host: setting("SOTTO_HOST", text.default("127.0.0.1"), "Address to listen on."),
  port: setting("SOTTO_PORT", count(0, 65535).default(8080), "0 lets the operating system choose."),
  tlsCertificate: setting(
    "SOTTO_TLS_CERT",
    text.optional(),
    "File of the certificate chain (PEM). With it and SOTTO_TLS_KEY the server speaks HTTPS only. Read when the server starts.",
  ),
  tlsKey: setting("SOTTO_TLS_KEY", text.optional(), "File of the private key of SOTTO_TLS_CERT (PEM)."),
  logLevel: setting(
    "SOTTO_LOG_LEVEL",
    z.enum(["debug", "info", "warning", "error"]).default("info"),
    "Least important lines that are written: debug, info, warning or error.",
  ),
  drainSeconds: setting(
    "SOTTO_DRAIN_SECONDS",
    count(0, 3600).default(30),
    "How long a stop waits for the requests that are running.",
  ),
  uploadIdleSeconds: setting(
    "SOTTO_UPLOAD_IDLE_SECONDS",
    count(1, 86400).default(60),
    "How long the next bytes of an upload may take.",
  ),
};

const objects = {
  objects: setting(
    "SOTTO_OBJECTS",
    text.regex(/^(?!s3:)|^s3:\/\/[a-z0-9][a-z0-9.-]+(\/[\w.\/-]*)?$/, "must be a folder or s3://bucket/prefix")
      .optional(),
    "Where keys, models and ciphertexts lie: a folder, or `s3://bucket/prefix`. Every server and worker of a database names the same; no two databases do. The credentials of a bucket come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or from any other source that the AWS SDK knows.",
    { standard: "`objects` in SOTTO_DATA_DIR" },
  ),
  s3Endpoint: setting(
    "SOTTO_S3_ENDPOINT",
    z.url({ protocol: /^https?$/ }).optional(),
    "Address of an S3-compatible service.",
    { standard: "Amazon S3 in SOTTO_S3_REGION" },
  ),
  s3Region: setting("SOTTO_S3_REGION", text.default("us-east-1"), "Region of the bucket."),
  s3ForcePathStyle: setting(
    "SOTTO_S3_FORCE_PATH_STYLE",
    flag(false),
    "`true` puts the bucket in the path instead of the host name; most S3-compatible services need it.",
  ),
  objectGraceMinutes: setting(
    "SOTTO_OBJECT_GRACE_MINUTES",
    count(1, 525600).default(1440),
    "Objects that nothing names are removed when they are older.",
  ),
  tenantBytes: setting(
    "SOTTO_TENANT_BYTES",
    bytes(1024 * 1024 * MEBIBYTE),
    "Bytes of keys, models, batches, checkpoints and job parts that a tenant may store, unless it has a limit of its own.",
  ),
};

export const storage = {
  dataDir: setting(
    "SOTTO_DATA_DIR",
    text.default("./data"),
    "Folder of the embedded database, of the objects and of temporary files.",
  ),
  databaseUrl: setting(
    "DATABASE_URL",
    postgresUrl.optional(),
    "PostgreSQL; the embedded database in SOTTO_DATA_DIR when absent.",
    { secret: true },
  ),
  databaseConnections: setting(
    "SOTTO_DATABASE_CONNECTIONS",
    count(2, 1000).default(10),
    "Connections to PostgreSQL that the queries of one process share.",
  ),
  migrate: setting(
    "SOTTO_MIGRATE",
    z.enum(["auto", "empty", "never"]).optional(),
    "What a process does when it starts on a database of another version: `auto` migrates it, `empty` sets up an empty one and refuses an older one until `sotto migrate` has run, `never` refuses both. A newer one is always refused.",
    { standard: "`auto` for the embedded database, `empty` for PostgreSQL" },
  ),
  diskFreeBytes: setting(
    "SOTTO_DISK_FREE_BYTES",
    count(0, Number.MAX_SAFE_INTEGER).default(256 * MEBIBYTE),
    "The server is not ready when SOTTO_DATA_DIR has less free space.",
  ),
  ...objects,
};

export const kernels = {
  threads: setting("SOTTO_THREADS", count(1, 1024).optional(), "Worker threads of the kernels.", {
    standard: "all cores",
  }),
  backend: setting(
    "SOTTO_BACKEND",
    text.optional(),
    "Back end of the kernels: `cuda` (GPUs), `cpu`, or `auto`: GPUs where their library is built and one answers.",
    {
      standard: "`auto`",
    },
  ),
  library: setting("SOTTO_LIBRARY", text.optional(), "Path of the kernel library.", { standard: "the built one" }),
};

export const observation = {
  metricsToken: setting(
    "SOTTO_METRICS_TOKEN",
    text.min(16, "must have at least 16 characters").optional(),
    "Bearer token that `/metrics` asks for; without it the port of the API does not show them.",
    { secret: true, standard: "no `/metrics`" },
  ),
  metricsPort: setting(
    "SOTTO_METRICS_PORT",
    count(0, 65535).optional(),
    "Port of its own for `/metrics` (and `/healthz`), in servers and workers; SOTTO_METRICS_TOKEN is asked for there too when it is set.",
  ),
  metricsHost: setting("SOTTO_METRICS_HOST", text.default("127.0.0.1"), "Address of SOTTO_METRICS_PORT."),
  metricsTenants: setting(
    "SOTTO_METRICS_TENANTS",
    flag(false),
    "Metrics of requests and jobs carry the tenant's id: only with few tenants.",
  ),
};
