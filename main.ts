/** Wires the server: configuration, database, object store, back end, HTTP. `deno run -A main.ts serve`, `worker`, or `migrate`. */
import { type App, createApp, openLog } from "./app.ts";
import type { ServerBackend } from "./circuits/backend.ts";
import { checkConfig, type Config, readConfig, readTls, type Tls } from "./config.ts";
import { type Database, migrateDatabase, openDatabase } from "./db/mod.ts";
import { isSottoError, SottoError } from "./errors.ts";
import { createWorker, installQueue, type Log, watchComputing } from "./jobs/mod.ts";
import { Metrics, serveMetrics, tracedBackend } from "./observation/mod.ts";
import { openStore } from "./store/mod.ts";

/** A server that listens. */
export interface RunningServer {
  /** Such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly port: number;
  readonly database: Database;
  /** Settles when the server has stopped, whatever stopped it. */
  readonly finished: Promise<void>;
  /** Takes no new request, answers those that are running, closes everything but the back end. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Admits a back end that encrypts nothing: for tests only. */
  readonly allowInsecure?: boolean;
  /** Where the log goes; JSON lines on standard error when absent. */
  readonly log?: Log;
}

/**
 * Starts the server in this process; SIGINT and SIGTERM stop it. The back end stays the caller's.
 * Throws `insecure_parameter_set`, `data_folder_locked`, `database_unavailable`, `schema_version_wrong` or `configuration_invalid`.
 */
export async function startServer(
  config: Config,
  backend: ServerBackend,
  options: StartOptions = {},
): Promise<RunningServer> {
  requireSecure(backend, options);
  const log = options.log ?? await openLog(config.logLevel);
  log.info("kernels", kernelsOf(backend));
  const tls = readTls(config);
  await using opened = new AsyncDisposableStack();
  const store = opened.adopt(await openStore(config), (open) => open.close());
  const database = opened.adopt(await openDatabase(config), (open) => open.close());
  const parts = { config, database, store, backend: tracedBackend(backend), log };
  const app = opened.adopt(createApp(parts), (made) => made.close());
  if (tls !== undefined) showExpiry(app, tls);
  await app.start();
  opened.use(serveMetrics(config, app.metrics));
  const server = listen(config, app, log, tls);
  const drain = () => app.drain(config.drainSeconds);
  const scheme = tls === undefined ? "http" : "https";
  return run({ server, scheme, database, drain, log, opened: opened.move() });
}

/** A worker that computes jobs. */
export interface RunningWorker {
  /** Settles when the worker has stopped, whatever stopped it. */
  readonly finished: Promise<void>;
  /** Takes no further part, hands back what it cannot end in time, closes everything but the back end. */
  stop(): Promise<void>;
}

/**
 * Starts a worker in this process, beside the servers of the same PostgreSQL and the same object store; SIGINT and SIGTERM stop it. The back end
 * stays the caller's. Throws what `startServer` throws.
 */
export async function startWorker(
  config: Config,
  backend: ServerBackend,
  options: StartOptions = {},
): Promise<RunningWorker> {
  requireSecure(backend, options);
  if (config.databaseUrl === undefined) {
    const message =
      "a worker needs PostgreSQL: set DATABASE_URL to that of its servers, or let the server compute jobs itself";
    throw new SottoError("configuration_invalid", message);
  }
  const log = options.log ?? await openLog(config.logLevel);
  await using opened = new AsyncDisposableStack();
  const store = opened.adopt(await openStore(config), (open) => open.close());
  const database = opened.adopt(await openDatabase(config), (open) => open.close());
  const metrics = opened.adopt(new Metrics({ tenants: config.metricsTenants }), (made) => made.close());
  const parts = { config, database, store, backend: tracedBackend(backend), log, metrics };
  const worker = opened.adopt(createWorker(parts), (made) => made.close());
  watchComputing(metrics, worker.computing);
  await worker.start();
  if (config.metricsPort !== undefined) opened.use(serveMetrics(config, metrics));
  log.info("working", kernelsOf(backend));
  return runWorker(() => worker.drain(config.drainSeconds), log, opened.move());
}

function runWorker(drain: () => Promise<void>, log: Log, opened: AsyncDisposableStack): RunningWorker {
  const { promise: finished, resolve, reject } = Promise.withResolvers<void>();
  let stopping = false;
  const stop = () => {
    if (stopping) return finished;
    stopping = true;
    drain().then(async () => {
      forget();
      await opened.disposeAsync();
      log.info("stopped", {});
    }).then(resolve, reject);
    return finished;
  };
  const forget = onSignals(stop);
  return { finished, stop };
}

function kernelsOf({ name, threads, note }: ServerBackend): Record<string, unknown> {
  return { backend: name, threads, ...(note !== undefined && { note }) };
}

function requireSecure(backend: ServerBackend, { allowInsecure = false }: StartOptions): void {
  if (allowInsecure || !backend.parameterSet.startsWith("insecure")) return;
  const message = `the back end ${backend.name} (${backend.parameterSet}) does not protect anything`;
  throw new SottoError("insecure_parameter_set", `${message}: build the kernels and use one of theirs`);
}

type HttpServer = Deno.HttpServer<Deno.NetAddr>;

function showExpiry({ metrics }: App, { expiresAt }: Tls): void {
  metrics.gauge("sotto_tls_certificate_end_seconds", "When the certificate ends, in seconds since 1970.")
    .set(expiresAt.getTime() / 1000);
}

function listen({ host, port }: Config, app: App, log: Log, tls: Tls | undefined): HttpServer {
  const onListen = (address: Deno.NetAddr) => log.info("listening", { hostname: address.hostname, port: address.port });
  try {
    return Deno.serve(
      { hostname: host, port, onListen, ...(tls && { cert: tls.cert, key: tls.key }) },
      (request, { remoteAddr }) => {
        return app.fetch(request, { remoteAddress: remoteAddr.hostname });
      },
    );
  } catch (cause) {
    const message = `cannot listen on ${host}:${port}: choose another SOTTO_HOST or SOTTO_PORT`;
    throw new SottoError("configuration_invalid", message, { cause });
  }
}

interface Running {
  readonly server: HttpServer;
  readonly scheme: string;
  readonly database: Database;
  readonly drain: () => Promise<void>;
  readonly log: Log;
  readonly opened: AsyncDisposableStack;
}

/** `HttpServer.shutdown` cuts bodies that are being read, so the running requests get their answers before it is called. */
function run({ server, scheme, database, drain, log, opened }: Running): RunningServer {
  const { hostname, port } = server.addr;
  let stopping: Promise<void> | undefined;
  const stop = () => stopping ??= drain().then(() => server.shutdown());
  const forget = onSignals(() => stopping === undefined ? stop() : server.shutdown());
  const finished = server.finished.then(async () => {
    forget();
    await opened.disposeAsync();
    log.info("stopped", { port });
  });
  return {
    url: `${scheme}://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`,
    port,
    database,
    finished,
    async stop() {
      await stop();
      await finished;
    },
  };
}

/** Calls `stop` on the signals that ask for the end (a second one does not wait); the function returned forgets them. */
function onSignals(stop: () => Promise<void>): () => void {
  const listener = () => void stop();
  const signals: Deno.Signal[] = ["SIGINT", "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, listener);
  return () => signals.forEach((signal) => Deno.removeSignalListener(signal, listener));
}

/**
 * The command `serve`: the environment's configuration, the native kernels, until a signal. Who brings an own back end loads no
 * kernels.
 */
export function serve(): Promise<void> {
  return withKernels(startServer);
}

/** The command `worker`: computes jobs until a signal. */
export function work(): Promise<void> {
  return withKernels(startWorker);
}

async function withKernels(
  start: (config: Config, backend: ServerBackend, options: StartOptions) => Promise<{ finished: Promise<void> }>,
): Promise<void> {
  const config = readConfig();
  const log = await openLog(config.logLevel);
  for (const problem of checkConfig(Deno.env.toObject()).unknown) log.warn("unknown setting", { problem });
  const { openBackend } = await import("./ffi/mod.ts");
  const backend = await openBackend({ library: config.library, backend: config.backend, threads: config.threads });
  try {
    await (await start(config, backend, { log })).finished;
  } finally {
    backend.close();
  }
}

/** The command `migrate`: brings the database of the environment's configuration to this version, tables of the queue included. */
export async function migrate(config: Config = readConfig()): Promise<void> {
  await migrateDatabase(config, installQueue);
}

/** What this file does when it is run. */
const COMMANDS: Readonly<Record<string, () => Promise<void>>> = { serve, worker: work, migrate };

if (import.meta.main) {
  try {
    const command = COMMANDS[Deno.args[0]];
    if (command === undefined) {
      throw new SottoError("malformed_request", `usage: main.ts ${Object.keys(COMMANDS).join("|")}`);
    }
    await command();
  } catch (error) {
    if (!isSottoError(error)) throw error;
    console.error(`error: ${error.message} (${error.code})`);
    Deno.exit(1);
  }
}
